"""A server of S3's API (moto's) that already holds a day of many photos and the training photos; run as a program.

Over HTTP the upload alone would take longer than the day: the objects are put where the server keeps them.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import logging
from pathlib import Path

import cv2
import numpy as np

BUCKET, CUT_SHORT, COPY = "bucket", "zz-cut-short.jpg", "zz-copy.jpg"


def variant(photo: np.ndarray, number: int) -> bytes:
    """JPEG bytes of the photo with another part cut off, another brightness, and `number` in its pixels."""
    top, left, light = number % 7, number // 7 % 7, number // 49 % 21 - 10
    cut = np.clip(photo[top:, left:].astype(int) + light, 0, 255).astype(np.uint8)
    small = cv2.resize(cut, (96, 72), interpolation=cv2.INTER_AREA)
    return cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()


def main() -> None:
    from moto.core import DEFAULT_ACCOUNT_ID
    from moto.s3.models import s3_backends
    from werkzeug.serving import run_simple

    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--photos", type=Path, required=True, help="a folder of photos for each class")
    parser.add_argument("--incoming", required=True, help="the folder of the day")
    parser.add_argument("--training", required=True, help="the folder of the training photos")
    parser.add_argument("--images", type=int, required=True)
    parser.add_argument("--truth", type=Path, required=True, help="where to write what each photo shows")
    options = parser.parse_args()

    s3 = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
    s3.create_bucket(BUCKET, "us-east-1")
    truth: dict[str, str] = {}
    paths = sorted(options.photos.rglob("*.jpg"))
    for path in paths:
        data = path.read_bytes()
        truth[hashlib.sha256(data).hexdigest()] = path.parent.name
        s3.put_object(BUCKET, f"{options.training}/{path.parent.name}/{path.name}", data)
    photos = [cv2.resize(cv2.imread(str(path)), (128, 96), interpolation=cv2.INTER_AREA) for path in paths]
    day: dict[str, str] = {}
    number = 0
    while len(day) < options.images:
        which = number % len(paths)
        data = variant(photos[which], number // len(paths))
        image_id = hashlib.sha256(data).hexdigest()
        if image_id not in day:
            day[image_id] = paths[which].parent.name
            s3.put_object(BUCKET, f"{options.incoming}/door-{len(day):05d}.jpg", data)
        number += 1
    s3.put_object(BUCKET, f"{options.incoming}/{COPY}", data)
    s3.put_object(BUCKET, f"{options.incoming}/{CUT_SHORT}", data[: len(data) // 2])
    with options.truth.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["image_id", "label"])
        writer.writerows(sorted((truth | day).items()))
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line for each request is a tenth of its time
    from moto.server import DomainDispatcherApplication, create_backend_app

    run_simple("127.0.0.1", options.port, DomainDispatcherApplication(create_backend_app), threaded=True)


if __name__ == "__main__":
    main()

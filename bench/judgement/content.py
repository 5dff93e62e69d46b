"""Drift of content by GIST beside the model's own embeddings: false alarms, and what each of the two sees, on real photos.

`python -m bench.judgement.content` writes docs/benchmarks/judgement/content.csv and content.md; some minutes of one core. For each of
REFERENCES references the photos are shuffled anew: HELD_OUT are its images, and batches of BATCH have no photo in common with it, nor with
each other where nothing is changed. In the other batches CHANGED of the photos are. The model is trained on TRAINED_ON photos that are in
neither. Both kinds are tested on the same batches, which have the reference's mix of classes but for chance. Seeds are fixed.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from bench.judgement.drift_data import OUT, ROOT, photos
from driftwatch.drift.embeddings import fit_projection, project
from driftwatch.drift.reference import Reference
from driftwatch.images.gist import gist

CACHE = ROOT / "var" / "bench" / "content"
SIDE, TRAINED_ON, HELD_OUT, BATCH = 64, 600, 400, 100
REFERENCES, CLEAN_BATCHES, CHANGED = 80, 5, 0.3
RATES = (0.01, 0.0025)  # of all a day's drift by default, and content's part of it


def closer(image: np.ndarray) -> np.ndarray:
    quarter = SIDE // 4
    return cv2.resize(image[quarter:-quarter, quarter:-quarter], (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)


def in_a_corner(image: np.ndarray) -> np.ndarray:
    found = np.full_like(image, 128)
    found[: SIDE // 2, : SIDE // 2] = cv2.resize(image, (SIDE // 2, SIDE // 2), interpolation=cv2.INTER_AREA)
    return found


def fenced(image: np.ndarray) -> np.ndarray:
    found = image.copy()
    found[:, ::8] = found[:, 1::8] = 70
    return found


READING = (
    "GIST keeps the stated false alarms. It sees what changes the edges, such as a fence, and does not see light, which the features of image quality are for. It sees",
    "less than the embeddings of a model that was trained on such pictures where the subject itself changes.",
)

CHANGES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "turned by 90 degrees": lambda image: np.ascontiguousarray(np.rot90(image)),
    "upside down": lambda image: np.ascontiguousarray(image[::-1]),
    "twice as close": closer,
    "in a corner": in_a_corner,
    "behind a fence": fenced,
    "blurred": lambda image: cv2.GaussianBlur(image, (0, 0), 1.5),
    "half as bright": lambda image: image // 2,
}


def pictures() -> tuple[np.ndarray, np.ndarray]:
    """All photos as the model is given them, uint8 [n, SIDE, SIDE, 3], and whether each is a dog."""
    kept = CACHE / "pictures.npz"
    if not kept.exists():
        found = [_picture(path) for path in photos()]
        CACHE.mkdir(parents=True, exist_ok=True)
        np.savez(kept, images=np.stack(found), dog=[path.parent.name == "dog" for path in photos()])
    loaded = np.load(kept)
    return loaded["images"], loaded["dog"]


def _picture(path: Path) -> np.ndarray:
    return cv2.resize(cv2.imread(str(path), cv2.IMREAD_COLOR_RGB), (SIDE, SIDE), interpolation=cv2.INTER_AREA)


def seen(images: np.ndarray, dog: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """For each change, and for none, of all photos: the model's embeddings, and GIST."""
    kept = CACHE / "seen.npz"
    if not kept.exists():
        answer = _model(images[:TRAINED_ON], dog[:TRAINED_ON].astype("int64"))
        found = {}
        for number, change in enumerate([lambda image: image, *CHANGES.values()]):
            changed = np.stack([change(image) for image in images])
            raw, embeddings = answer(changed)
            found |= {f"{number}e": embeddings, f"{number}g": gist(changed)}
            print(f"seen: {number}, {(raw.argmax(axis=1) == dog)[TRAINED_ON:].mean():.3f} right", flush=True)
        np.savez(kept, **found)
    loaded = np.load(kept)
    names = ["nothing", *CHANGES]
    return {name: (loaded[f"{number}e"], loaded[f"{number}g"]) for number, name in enumerate(names)}


def _model(images: np.ndarray, labels: np.ndarray) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]:
    from driftwatch.artifacts.model_input import ModelInput
    from driftwatch.models.champion import RECIPES
    from driftwatch.models.keras_file import from_bytes
    from driftwatch.models.predictors.from_images import ModelFacts
    from driftwatch.models.predictors.heads import Head
    from driftwatch.models.predictors.keras import KerasPredictor
    from driftwatch.models.training.base import Labelled, Recipe, TrainingSet, trainer

    recipe = Recipe(**{**RECIPES["fast"], "epochs": 12})
    trained = trainer().train(TrainingSet(Labelled(images, labels), 2), recipe)
    facts = ModelFacts("", ("cat", "dog"), ModelInput(height=SIDE, width=SIDE), Head("logits"))
    model = KerasPredictor(facts, from_bytes(trained.model, "the benchmark's model"))
    return lambda asked: model.log_scores([asked], 256)


def draws() -> pd.DataFrame:
    """A row for each batch and kind: what was changed, and the test's p-value."""
    images, dog = pictures()
    known = seen(images, dog)
    rows = []
    for place, kind in enumerate(("embeddings", "gist")):
        projection = fit_projection(known["nothing"][place][:TRAINED_ON])
        tables = {name: project(found[place], projection) for name, found in known.items()}
        for number in range(REFERENCES):
            rng = np.random.default_rng([61, number])
            order = rng.permutation(np.arange(TRAINED_ON, len(images)))
            reference = Reference.build(tables["nothing"].iloc[order[:HELD_OUT]], RATES[1], seed=number)
            pool = order[HELD_OUT:]
            for batch in pool[: CLEAN_BATCHES * BATCH].reshape(CLEAN_BATCHES, BATCH):
                p = reference.test(tables["nothing"].iloc[batch]).p_value
                rows.append({"kind": kind, "change": "nothing", "p_value": p})
            for name in CHANGES:
                batch = rng.permutation(pool)[:BATCH]
                cut = round(CHANGED * BATCH)
                mixed = pd.concat([tables[name].iloc[batch[:cut]], tables["nothing"].iloc[batch[cut:]]])
                rows.append({"kind": kind, "change": name, "p_value": reference.test(mixed).p_value})
        print(f"draws: {kind}", flush=True)
    return pd.DataFrame(rows)


def page(found: pd.DataFrame) -> str:
    """The table in Markdown."""
    lines = [
        "# Content by GIST, beside the model's embeddings",
        "",
        f"`python -m bench.judgement.content` writes `content.csv`. Real photos, {REFERENCES} references of {HELD_OUT} images, batches of {BATCH} images of which",
        f"{CHANGED:.0%} were changed ({CLEAN_BATCHES} batches for each reference where nothing was). Share of batches that are called drifted, at 1 % and at content's default part of it:",
        "",
        "| what changed | batches | embeddings, 1 % | GIST, 1 % | embeddings, 0.25 % | GIST, 0.25 % |",
        "|---|---|---|---|---|---|",
    ]
    for name in ["nothing", *CHANGES]:
        of = found[found["change"] == name]
        cells = [
            f"{(of.loc[of['kind'] == kind, 'p_value'] <= rate).mean():.1%}"
            for rate in RATES
            for kind in ("embeddings", "gist")
        ]
        lines.append(f"| {name} | {len(of) // 2} | {' | '.join(cells)} |")
    lines += ["", *READING]
    return "\n".join(lines) + "\n"


def main() -> None:
    found = draws()
    OUT.mkdir(parents=True, exist_ok=True)
    found.round(6).to_csv(OUT / "content.csv", index=False)
    (OUT / "content.md").write_text(page(found))


if __name__ == "__main__":
    main()

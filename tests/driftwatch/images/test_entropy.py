"""The coded data of a JPEG are followed to see what the file holds, at the price of its bytes."""

from __future__ import annotations

import time

import cv2

from .files import ACCEPT, JPEG, encoded, kind_of, picture


def test_a_hole_of_zeros_before_the_cut_is_no_picture_though_it_can_be_read_as_codes():
    smooth = encoded(cv2.GaussianBlur(picture(), (0, 0), 3), quality=75)
    middle = len(smooth) // 2
    holes = [smooth[:at] + bytes(100) + smooth[at + 100 :] for at in range(middle, middle + 60)]
    assert {kind_of(data, ACCEPT) for data in holes} == {"truncated"}


def test_a_cut_file_that_defines_its_tables_a_hundred_thousand_times_costs_no_more_than_its_bytes():
    codes, steps = (b"\0" + bytes(16)) * 3854, b"\0" + b"\1" * 64
    tables = b"\xff\xc4" + (len(codes) + 2).to_bytes(2, "big") + codes
    tables += b"\xff\xdb" + (1000 * 65 + 2).to_bytes(2, "big") + steps * 1000
    began = time.process_time()
    assert kind_of(JPEG[:2] + tables * 30 + JPEG[2 : len(JPEG) * 3 // 4], ACCEPT) == "cut_short"
    assert time.process_time() - began < 5  # a look at each of the tables for each of the others would take minutes

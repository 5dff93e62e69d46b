"""Instructions without what could run in an annotator's browser."""

from __future__ import annotations

import pytest

from driftwatch.labels.clean_html import clean_html


@pytest.mark.parametrize(
    ("html", "clean"),
    [
        ("<p>Look at <b>ears</b>, <i>then</i> tails.</p>", "<p>Look at <b>ears</b>, <i>then</i> tails.</p>"),
        ("<ul><li>cat<li>dog</ul>", "<ul><li>cat<li>dog</li></li></ul>"),
        ("5 < 6 & 7", "5 &lt; 6 &amp; 7"),
        ("<p onclick='x()' style='x' class=y>a</p>", "<p>a</p>"),
        ("a<script>x()</script>b", "ab"),
        ("a<SCRIPT src=//e>x</SCRIPT>b", "ab"),
        ("a<iframe src='https://e'>x</iframe>b", "ab"),
        ("a<object data=x><embed src=y></object>b", "ab"),
        ("<form action='https://e'>say <input name=q>so<button>x</button></form>", "say sox"),
        ("<svg onload=x()><a href='https://e'>y</a></svg>z", "z"),
        ("<a href='javascript:x()'>a</a>", "<a>a</a>"),
        ("<a href=' java\tscript:x()'>a</a>", "<a>a</a>"),
        ("<a href='https://e/?a=1&amp;b=2' target=_top>a</a>", '<a href="https://e/?a=1&amp;b=2">a</a>'),
        ("<img src='https://e/a.png' onerror=x()>", '<img src="https://e/a.png">'),
        ("<img src='data:image/svg+xml;base64,x'>", "<img>"),
        ("<b>open", "<b>open</b>"),
        ("closed</b></p>", "closed"),
        ("<!-- x --><!DOCTYPE html><?php x ?>a", "a"),
        ("<scr<script>ipt>alert(1)</script>a", "ipt&gt;alert(1)a"),
    ],
)
def test_what_shapes_a_text_stays_and_all_else_goes(html, clean):
    assert clean_html(html) == clean
    assert clean_html(clean) == clean

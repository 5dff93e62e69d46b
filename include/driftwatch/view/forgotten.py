"""What forgetting images would do, and did, in words."""

from __future__ import annotations

from driftwatch.artifacts.forgetting import ForgetReceipt
from driftwatch.retention.search import ForgetPlan
from driftwatch.view.words import count


def planned_lines(plan: ForgetPlan) -> list[str]:
    """What is to be forgotten, where it lives on, and what looks nearly the same."""
    lines = [f"{image.image_id}  {', '.join(image.keys)}" for image in plan.images]
    what = "deleted too" if plan.deletes_originals else "left to you (storage.forget_originals is false)"
    if sum(len(image.keys) for image in plan.images) > plan.elsewhere:
        whose = " in the monitor's own folders" if plan.elsewhere else ""
        lines.append(f"Their files{whose} are {what}")
    if plan.elsewhere:
        lines.append(
            f"{count(plan.elsewhere, 'file')} where images.layout leads, which Driftwatch only reads: delete what of them shall go yourself"
        )
    if plan.models:
        lines.append(f"Models that were trained on them, and stay as they are: {', '.join(plan.models)}")
    if plan.near:
        lines.append(f"{count(len(plan.near), 'image')} nearly the same, which stay unless you name them too:")
        lines += [f"  {found.image_id}  {found.key}  ({found.differs} of 64 bits differ)" for found in plan.near]
    return lines


def receipt_lines(receipt: ForgetReceipt) -> list[str]:
    """What was done, and what is left to do."""
    lines = [f"Receipt {receipt.receipt}: {count(receipt.images, 'image')} forgotten"]
    lines += [f"  {what}: {number:,} changed or deleted" for what, number in receipt.changed.items()]
    lines += [f"  {name}: {count(number, 'task')} blanked" for name, number in receipt.services.items()]
    if receipt.originals_left:
        lines.append(
            f"Left: {count(receipt.originals_left, 'file')} of theirs; delete them, or a day that runs again takes them in"
        )
    for name, number in receipt.services_left.items():
        lines.append(
            f"Left: {count(number, 'task')} at {name}, which Driftwatch cannot change or was not let to; their links lead nowhere"
        )
    if receipt.models:
        lines.append(f"Lives on: in the weights of {', '.join(receipt.models)}; retrain from scratch to be rid of that")
    if receipt.near_duplicates:
        lines.append(f"{count(receipt.near_duplicates, 'image')} nearly the same stay")
    lines.append("Lives on in sums alone: profiles, at WhyLabs too, and every published number")
    return lines

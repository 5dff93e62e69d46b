"""What to do, in words: each sentence once. The alerts say it behind "What to do", the pages, the report and the command line in the card
"What now"."""

from __future__ import annotations

NOTHING = "nothing."
UNREADABLE = "read below which file it is, and what to do about it. The rest of the day is shown."
DAY_FAILED = "read why. When the cause is gone, clear the failed task in its run, or run the day again: nothing is paid, created or counted twice."
NEEDS_REVISION = "read why. To clear the task, or to run the day again as it is, fails alike. If the new content is right, run the day with the parameter `revise`: what was sent of it is deleted at the sink and sent anew."
NO_IMAGES = (
    "check what delivers the images to the day's folder, then clear ingest_images. If days without images are normal, "
    "set images.on_empty_day to skip."
)
IMAGES_DRIFTED = (
    "look at the example images in the report, and at the camera or service that sends them. "
    "Nothing is retrained for drift alone; the labels will tell whether the model suffers."
)
LASTING = "If the change is there to stay, accept days like it as usual; else days like it go on alarming."
MODEL_GOT_WORSE = (
    "look at the disagreements in the report. The retraining DAG starts by itself, unless the day is a backfill or within "
    "the cooldown: the day's page says so, and the log of check_performance; then trigger it by hand."
)
SEGMENTS_GOT_WORSE = (
    "look at the segments in the report, and at what delivers their images. Nothing is retrained for a segment "
    "(performance.segments.alerts)."
)
TOO_FEW_LABELS = (
    "if the pool ended early, extend it at the service and clear wait_for_annotations, else raise labels.sample_size. "
    "Where all images of the day are asked about, raise performance.pool_days: more days are then judged together."
)
TOO_FEW_IN_TABLE = "look whether the table has the day's labels, and what labels.table.covers says of them; the day is scored again as they come."
NOT_COUNTED = "The day counts neither as good nor as bad."
NOT_PLAIN = (
    "nothing has to be done: no rule of performance.policy fires. Look at the classes and the images that labels and model disagree about. "
    "More labels (labels.sample_size) would make the number surer."
)
WAIT_FOR_LABELS = "nothing yet: the model is judged when the labels are in."
WAIT_FOR_DAY = "nothing yet: the day's steps have not ended."

# After an alert about the model, by what it led to (driftwatch.view.retrained).
AFTER_ALERT = {
    "held": "read why. If the model must be retrained all the same, trigger the retraining by hand.",
    "asked_for": "nothing yet: wait until the retraining has ended.",
    "training": "nothing yet: wait until the retraining has ended.",
    "comparing": "nothing yet: wait until the retraining has ended.",
    "handed_over": "train a model on the set and register it. The models page has the command.",
    "brought": "nothing yet, if the team's DAG starts the comparison. Else trigger the retraining DAG by that run id, with the version as `challenger`.",
    "failed": "read the failed task's log in its run, and clear that task to go on from there; or trigger the retraining again.",
    "refused": "read on the models page where the new model is worse. Trigger the retraining again when there are more labels, or with other settings.",
    "too_little_evidence": "nothing yet, if more days with labels come: they judge it again. Else raise labels.sample_size, or retrain again later.",
    "passed": "read its comparison on the models page, and decide in the run.",
    "promoted": f"say whether the change is there to stay. {LASTING}",
    "replaced": "read on the models page which version serves, and why.",
}
PROMOTED_AND_ACCEPTED = "nothing: days from now on are judged by the new model, and days like that of the alert are usual. If the change was no lasting one, withdraw it."

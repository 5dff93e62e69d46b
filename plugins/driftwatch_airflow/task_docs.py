"""What stands beside each task in the UI: what it does, and what to do when it fails."""

from __future__ import annotations

_WHAT_AND_WHEN = {
    "ingest_images": (
        "Lists the day's files, checks each, and keeps what the model and the features need. No file is lost without a reason.",
        "the message says whether no image arrived or too many are unusable; the manifest names each file. Repair the delivery, then clear this task.",
    ),
    "ingest_shards": (
        "Only for a day of more files than `images.shard_size`: takes one shard's files in, as ingest_images does a smaller day's.",
        "storage did not answer, or a worker was lost: clear it. Where its listing is gone, clear ingest_images.",
    ),
    "merge_shards": (
        "Makes one day of what the shards took in; a file that came in two of them counts once.",
        "the message says whether too many files are unusable; the manifest names each. Repair the delivery, then clear ingest_images.",
    ),
    "predict_shards": (
        "Only for a day in shards: lets the day's model answer for one shard's accepted images.",
        "as predict_labels.",
    ),
    "profile_features": (
        "Tests the day's images against those the model was trained on, and writes the whylogs profile. Drift informs; it starts nothing.",
        "its log names the missing artifact; clear it, and what comes after it.",
    ),
    "upload_features": (
        "Publishes the feature profile, once for each content.",
        "the message is the sink's answer. Check the connection; where the day's content has changed, publish a correction: the message has the address.",
    ),
    "predict_labels": (
        "Lets the day's model answer for every accepted image.",
        "a damaged model is named with its checksum: restore it, or go back to another version, then clear this task.",
    ),
    "create_annotation_pool": (
        "Says what labelling costs, then finds or creates the day's pool. Repeating it pays nothing twice.",
        "over the budget: raise the limit in the monitor file. Refused by Toloka: the message names the field. Then clear this task.",
    ),
    "wait_for_annotations": (
        "Waits until the pool has ended; meanwhile it takes no worker slot.",
        "the pool ended early: look at its balance, end and price in Toloka, let it go on, and clear this task.",
    ),
    "merge_annotations": (
        "Merges people's answers into one label for each image, and counts ties and unclear images apart.",
        "the message names the answer or image that does not fit the monitor file; correct that, then clear this task.",
    ),
    "evaluate_performance": (
        "Measures the model against the labels, with intervals, gives the verdict and writes the report.",
        "the message names what is missing; clear the task that writes it, and this one.",
    ),
    "upload_performance": (
        "Publishes the performance beside the features, once for each content.",
        "as upload_features.",
    ),
    "check_performance": (
        "Starts a retraining where the verdict is an alert and nothing holds it back; its log says what does.",
        "clear it; it only reads.",
    ),
    "trigger_retraining": (
        "Starts the retraining DAG for this day's alert, once; its run has a note that says which.",
        "the message is Airflow's; clear it. A run that is there already is not started again.",
    ),
    "tell_drift": (
        "Tells the notifiers of the monitor file, each once, that the images changed, or did not come. Nothing depends on it.",
        "the message names the notifier and why it failed. Correct it, or its connection, then clear this task: who was told is not told again.",
    ),
    "tell_performance": (
        "Tells the notifiers what the labels say of the model, or that there are too few, each once. Nothing depends on it.",
        "as tell_drift.",
    ),
    "tell_analysis": (
        "Tells the notifiers what WhyLabs found and the day's own verdict did not, each once. Nothing depends on it.",
        "as tell_drift.",
    ),
    "tell_failure": (
        "Only for a day that fails: tells the notifiers where, why and what to do, once for the day. Nothing depends on it.",
        "as tell_drift. Without a word from the failed task it says that too.",
    ),
    "day_done": (
        "Ends the day well: one that failed before and was taken up again is no longer shown as failed.",
        "an earlier step failed: clear that one. Where it failed itself, storage did not answer: clear it.",
    ),
    "tell_outcome": (
        "Tells the notifiers, each once, that a model was promoted or rolled back, or that the retraining failed. Nothing depends on it.",
        "as tell_drift.",
    ),
    "choose_action": (
        "Follows the form: the plan alone with `dry_run`, a rollback where a version is named, else a retraining.",
        "clear it.",
    ),
    "show_plan": (
        "The set, the estimated time and what would be replaced: in its log and its XCom. Nothing is written.",
        "its message says what is missing; change the form, and trigger again.",
    ),
    "roll_back": (
        "Makes an earlier version the champion again, in one step. Days that were judged keep their model.",
        "no such version, or its model is gone: `driftwatch models` lists what there is.",
    ),
    "approve_promotion": (
        "Asks a person, with the comparison of champion and challenger. Without an answer in time `retraining.on_no_answer` holds.",
        "clear it: it asks again.",
    ),
    "collect_training_set": (
        "The original training set and the range's human labels; evaluation images are kept apart for ever.",
        "too few labels: widen the range of days in the form, and trigger again.",
    ),
    "train_challenger": (
        "Fine-tunes the champion on the set, or trains from scratch; the champion keeps serving.",
        "clear it: it goes on from its last epoch, on any machine.",
    ),
    "evaluate_challenger": (
        "Champion and challenger on the same images, which neither was trained on.",
        "clear it; it only compares.",
    ),
    "gate": (
        "Follows the comparison and the promotion setting: keep, ask a person, or promote.",
        "clear it.",
    ),
    "promote_model": (
        "Builds the challenger's drift reference, then makes it the champion in one step.",
        "another model became champion meanwhile: trigger the retraining again, so that it is compared with that one.",
    ),
    "refresh_reference": (
        "Gives the new champion's reference profile to the sinks.",
        "the champion serves already; check the connection, then clear this task.",
    ),
}


def what_to_do(task_id: str) -> str:
    """What to do when the task fails, as a sentence."""
    found = _WHAT_AND_WHEN.get(task_id)
    advice = found[1] if found else "see its log."
    if advice.startswith("as "):
        return what_to_do(advice.removeprefix("as ").rstrip("."))
    return advice[:1].upper() + advice[1:]


def task_doc(task_id: str) -> str | None:
    """The task's documentation in Markdown; None for a task that is not one of the package's DAGs."""
    found = _WHAT_AND_WHEN.get(task_id)
    return f"{found[0]}\n\n**When it fails**: {found[1]}" if found else None

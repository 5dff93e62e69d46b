"""What the UI shows of each task: what it does, and what to do when it fails."""

from __future__ import annotations

# Ids of the steps that tell people, or another registry, begin so. That they fail is no failure of a day or a retraining.
TELLING = "tell_"

_WHAT_AND_WHEN = {
    "examine_monitor": (
        "Asks everything that the days of the monitor need whether they can work, and changes nothing. Its log has a table with what to do for each line.",
        "its message has the lines that are wrong, each with what to do. Then trigger the DAG again.",
    ),
    "ingest_images": (
        "Lists the day's files, checks each, and keeps what the model and the features need. No file is lost without a reason.",
        "the message says whether no image arrived or too many are unusable, and the manifest (manifest.parquet) names each file. Repair the delivery, then clear this task.",
    ),
    "ingest_shards": (
        "Only for a day of more files than `images.shard_size`: takes in the files of one shard (a part of the day).",
        "the storage did not answer, or a worker was lost: clear this task. If its message says that the listing is gone, clear ingest_images.",
    ),
    "merge_shards": (
        "Makes one day of what the shards took in. A file that came in two shards counts once.",
        "the message says whether too many files are unusable, and the manifest (manifest.parquet) names each. Repair the delivery, then clear ingest_images.",
    ),
    "profile_shards": (
        "Only for a day in shards: makes the part of the day's profile that is about the images of one shard.",
        "as profile_features.",
    ),
    "predict_shards": (
        "Only for a day in shards: lets the day's model predict the accepted images of one shard.",
        "as predict_labels.",
    ),
    "profile_features": (
        "Tests whether the day's images differ from those that the model was made for (drift), and writes the profile: whylogs' summary of each feature. Drift only informs; it starts nothing.",
        "its log names the file that is missing. Clear the task that writes that file, with the tasks after it.",
    ),
    "upload_features": (
        "Publishes the profile of the features. The same content is published once.",
        "the message is the answer of the sink (the place that it publishes to). Check the connection, then clear this task. If the day's content has changed, publish a correction: the message has the address.",
    ),
    "predict_labels": (
        "Lets the day's model answer for every accepted image; with `model.predictions: logged` it reads what production answered.",
        "a damaged model is named with its checksum: restore it, or go back to another version. Of production's log the message has the counts and what to correct. Then clear this task.",
    ),
    "create_annotation_pool": (
        "Says what labelling costs. Then finds or creates the day's pool (its job for annotators). A repeated task pays nothing twice.",
        "if it is over the budget, raise the limit in the monitor file. If the service by which people label refused it, correct the field that the message names. Then clear this task.",
    ),
    "wait_for_annotations": (
        "Waits until the pool has ended, or until a table has enough labels. Meanwhile it takes no worker slot.",
        "the pool ended early: look there at the balance, the pool's end and its price, and let the pool go on. Of a table the message says what cannot be read. Then clear this task.",
    ),
    "merge_annotations": (
        "Merges people's answers into one label for each image, and counts ties and unclear images apart; or takes the labels of a table.",
        "the message names the answer or image that does not fit the monitor file. Correct that, then clear this task.",
    ),
    "evaluate_performance": (
        "Measures the model against the labels, gives the verdict, and writes the report. Each number has an interval, which says how sure it is.",
        "the message names what is missing. Clear the task that writes it, with the tasks after it.",
    ),
    "upload_performance": (
        "Publishes how the model did, in the same profile as the features. The same content is published once.",
        "as upload_features.",
    ),
    "check_performance": (
        "Starts a retraining if the verdict is an alert and nothing holds it back. The log says what held it back. On any day with labels, it has the challenger compared that waits for them.",
        "clear this task; it only reads.",
    ),
    "trigger_retraining": (
        "Starts the retraining DAG for this day's alert, or for the challenger that waits for this day's labels, once. The run has a note that says which.",
        "the message is Airflow's own. Clear this task: a run that is there already is not started again.",
    ),
    "wait_for_people": (
        "Only with `labels.check_with`: waits until the people have answered who check the table. Meanwhile it takes no worker slot, and no verdict waits for it.",
        "as wait_for_annotations.",
    ),
    "merge_people": (
        "Only with `labels.check_with`: merges the answers of the people who check the table. They are kept beside the day's labels.",
        "the message names the answer or image that does not fit the monitor file. Correct that, then clear this task.",
    ),
    "compare_with_people": (
        "Says in performance.json and in the report how often the table and people name the same class.",
        "as evaluate_performance.",
    ),
    "follow_labels": (
        "Only for a table: goes on looking at it until the labels are complete or `labels.wait_days` are over, without a worker slot. At each look it scores the day again.",
        "the message says what of the table cannot be read. Correct it or the section labels.table, then clear this task: it goes on from there.",
    ),
    "upload_correction": (
        "Only for a table: publishes how the model did by all labels, once. If nothing changed since upload_performance, it sends nothing.",
        "as upload_features.",
    ),
    "check_correction": (
        "Only for a table: looks at the verdict by all labels. It starts a retraining only if the day has not started one, and its model still serves.",
        "clear this task; it only reads.",
    ),
    "retrain_after_correction": (
        "Starts the retraining DAG for this day's alert, once.",
        "as trigger_retraining.",
    ),
    "labels_done": (
        "Only for a table: ends the wait for labels. A day that failed meanwhile and was run again is no longer shown as failed.",
        "as day_done.",
    ),
    "tell_correction": (
        "Only for a table: tells the notifiers, each once, what all labels say of the model. No other task waits for it.",
        "as tell_drift.",
    ),
    "tell_late_failure": (
        "Only for a table, and a day whose labels could not be followed: tells the notifiers where it failed, why, and what to do. No other task waits for it.",
        "as tell_drift.",
    ),
    "tell_drift": (
        "Tells the notifiers of the monitor file, each once, that the images changed or did not come. No other task waits for it.",
        "the message names the notifier and says why it failed. Correct the notifier or its connection, then clear this task: it tells only what was not told yet.",
    ),
    "tell_performance": (
        "Tells the notifiers, each once, what the labels say of the model, or that there are too few labels. No other task waits for it.",
        "as tell_drift.",
    ),
    "tell_analysis": (
        "Tells the notifiers, each once, what WhyLabs found and the day's own verdict did not. No other task waits for it.",
        "as tell_drift.",
    ),
    "tell_failure": (
        "Only for a day that fails: tells the notifiers where it failed, why, and what to do, once for the day. If the failed task gave no reason, it says so. No other task waits for it.",
        "as tell_drift.",
    ),
    "day_done": (
        "Ends the day well. A day that failed before and was run again is no longer shown as failed. Renews what the overview shows of the month.",
        "if an earlier task failed, clear that one. If this task failed itself, the storage did not answer: clear this task.",
    ),
    "tell_outcome": (
        "Tells the notifiers, each once, that a model was promoted or rolled back, that a training set was handed over, or that the retraining failed. No other task waits for it.",
        "as tell_drift.",
    ),
    "tell_mlflow": (
        "Only with `registry.mlflow`: brings that registry up to Driftwatch's own, and says where somebody moved its alias champion. Nothing depends on it.",
        "the message is MLflow's answer. Check the connection, then clear this task; tomorrow's catches up too.",
    ),
    "tell_models": (
        "Only with `registry.mlflow`: tells the notifiers that somebody moved the alias champion there, each once for a move. No other task waits for it.",
        "as tell_drift.",
    ),
    "tell_mlflow_challenger": (
        "Only with `registry.mlflow`: shows the challenger there, before anybody decides. Nothing depends on it.",
        "as tell_mlflow.",
    ),
    "choose_action": (
        "Follows the form: only the plan with `dry_run`, a rollback or a comparison if a version is named for it, else a retraining. An alert's run compares the challenger that waits for evidence, if there is one.",
        "the form names both a rollback and a challenger: trigger again with one of them. Otherwise clear this task.",
    ),
    "show_plan": (
        "Shows the training set, the estimated time and what would be replaced, in its log and its XCom. Nothing is written.",
        "its message says what is missing. Change the form, and trigger the DAG again.",
    ),
    "roll_back": (
        "Makes an earlier version the champion (the model that serves) again, in one step. Days that were judged keep their model.",
        "there is no such version, or its model is gone. `driftwatch models` lists the versions. Trigger the DAG again with one of them.",
    ),
    "approve_promotion": (
        "Asks a person whether the challenger (the new model) replaces the champion (the model that serves), and shows how they compare. Without an answer in time, `retraining.on_no_answer` decides.",
        "clear this task: it asks again.",
    ),
    "collect_training_set": (
        "Collects the original training set and the human labels of the range of days. Evaluation images are never trained on.",
        "there are too few labels. Name more days in the form, and trigger the DAG again.",
    ),
    "train_challenger": (
        "Trains the champion further on the set (fine-tuning), or trains a new model from scratch. The result is the challenger. The champion goes on serving.",
        "clear this task: it goes on after its last whole epoch (pass over the set), on any machine.",
    ),
    "hand_over": (
        "Where the team trains elsewhere: writes the training set and its manifest for it, without the images that judge models.",
        "clear it; what is written stays as it is.",
    ),
    "trigger_handover": (
        "Triggers the team's own DAG, which `retraining.handover_dag` names, once for this run.",
        "the message is Airflow's: there is no such DAG, or it refused the run. Correct that, then clear it.",
    ),
    "take_up_challenger": (
        "Takes up a challenger that was trained elsewhere, with the set that it was trained on; in an alert's run the one that waits for evidence, with the labels of the days since.",
        "no such version, or one that was trained on no handed-over set: `driftwatch models` lists what there is. If none waits any more, clear choose_action.",
    ),
    "evaluate_challenger": (
        "Compares champion and challenger on the same images, which neither was trained on.",
        "clear this task; it only compares.",
    ),
    "gate": (
        "Follows the comparison and the promotion setting: keep the champion, ask a person, or promote the challenger.",
        "clear this task.",
    ),
    "promote_model": (
        "Builds the challenger's drift reference, then makes it the champion in one step.",
        "another model became champion meanwhile. Trigger the retraining again, so that the challenger is compared with that model.",
    ),
    "refresh_reference": (
        "Gives the new champion's reference profile to the sinks, which compare the next days with it.",
        "the new champion serves already. Check the connection, then clear this task.",
    ),
    "look_at_monitors": (
        "Looks at all monitors for what did not happen, and puts what is new into their outboxes. A monitor that cannot be looked at stops no other.",
        "the monitors could not be gone through: its log says why. The next hour looks again.",
    ),
    "tell_findings": (
        "Tells what was found to the notifiers of each monitor, each once. No other task waits for it.",
        "the message names what could not be told or looked at, and why. Correct that. The next hour tells what is still to be told.",
    ),
    "keep_files": (
        "Once a UTC day: says in its log what is over by `storage.keep` of each monitor, and removes it where `storage.keep.remove` is true. No other task waits for it.",
        "the message names the monitor and why. Correct that. The next day's first run goes on, or run `driftwatch keep FILE --apply`.",
    ),
    "ping": (
        "Calls the address in the Airflow Variable driftwatch_watch_ping_url, which tells another service that the watch has looked. Skipped without that Variable.",
        "the message says what the address answered. Correct the Variable, or see whether the service is up. The next hour calls again.",
    ),
    "change_reference": (
        "Does what the form says: accepts days as usual or withdraws them, mutes a feature or a segment or lets it alarm again.",
        "its message says what the form lacks, or which day has no images. Trigger the DAG again.",
    ),
    "forget_images": (
        "Takes the form's images out of everything that is stored and out of the label service's tasks; without `apply` it only says what it would do.",
        "its message names what it could not find or reach. Clear this task: it finishes what was begun.",
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

"""Two registered versions that differ as much as two can."""

from __future__ import annotations

from tests.stores import monitor_store


def right_and_wrong(site, run_key: str) -> tuple[str, str]:
    """Two registered versions: one whose last layer is solved for the evaluation images, and the champion, which answers their opposite."""
    import keras
    import numpy as np

    from driftwatch.artifacts.days import stored_days
    from driftwatch.artifacts.keys import SET
    from driftwatch.drift.handover import build_reference_of
    from driftwatch.models import keras_file, registry
    from driftwatch.models.dataset import collect_training_set, load_inputs
    from driftwatch.models.predictors.keras import load_model

    layout, store = site.layout, monitor_store(site.storage, site.layout, site.monitor)
    days = [day for day in stored_days(site.storage, layout) if site.storage.exists(layout.day(day).labels)]
    collect_training_set(store, run_key, min(days), max(days))
    table = site.storage.read_table(layout.retraining(run_key, SET))
    table = table[table["split"] == "evaluation"].reset_index(drop=True)
    truth = table["label"].map(site.monitor.classes.index).to_numpy()
    old = registry.champion_version(store)
    model = load_model(store, old).model
    last = model.get_layer("logits")
    seen = keras.Model(model.inputs, last.input).predict(load_inputs(store, table).astype("float32"), verbose=0)
    wanted = 10 * np.eye(len(site.monitor.classes))[truth] - 5
    solved = np.linalg.lstsq(np.column_stack([seen, np.ones(len(seen))]), wanted)[0]
    versions = []
    for sign in (1, -1):
        last.set_weights([sign * solved[:-1], sign * solved[-1]])
        data = keras_file.to_bytes(model)
        versions.append(registry.version_for(store, data))
        registry.register(store, versions[-1], data, registry.card(store, old))
    build_reference_of(store, versions[1])
    registry.promote(store, versions[1], "a test", expected=old)
    return versions[0], versions[1]

"""Toloka: pools of paid annotators, control tasks, an exam."""

"""Plans for tests: a right one, and a mistake at a time."""

from __future__ import annotations

from pathlib import Path

RIGHT = """\
name: photos
account: lab
jobs:
  scan: {uses: scan, with: {source: data/train}}
  packed: {uses: resize, needs: [scan], with: {size: 32}}
  folds: {uses: folds, needs: [packed], with: {k: 3}}
  train:
    uses: train
    needs: [folds]
    per: fold
    limit: 2h
    with:
      model: resnet18
      epochs: 3
  errors: {uses: errors, needs: [train]}
"""


def write_plan(folder: Path, text: str = RIGHT) -> Path:
    """`plan.yaml` in a folder that has what the right plan names."""
    (folder / "data" / "train").mkdir(parents=True, exist_ok=True)
    path = folder / "plan.yaml"
    path.write_text(text)
    return path


def _with(old: str, new: str) -> str:
    assert RIGHT.count(old) == 1, old
    return RIGHT.replace(old, new)


def _train_has(line: str) -> str:
    return _with("    limit: 2h\n", f"    limit: 2h\n    {line}\n")


WRONG = {
    # keys, at each level
    "unknown_key_of_the_plan": _with("account: lab", "acount: lab"),
    "unknown_key_of_an_entry": _with("    limit: 2h", "    limt: 2h"),
    "unknown_parameter": _with("      epochs: 3", "      epoch: 3"),
    "unknown_notifier": RIGHT + "notify: {slak: {channel: C0123456789}}\n",
    "unknown_setting_of_a_notifier": RIGHT + "notify:\n  slack:\n    chanel: C0123456789\n",
    "channel_by_name": RIGHT + "notify: {slack: {channel: '#general'}}\n",
    "duplicate_key": _with("      epochs: 3\n", "      epochs: 3\n      epochs: 4\n"),
    "missing_parameter": _with(", with: {source: data/train}", ""),
    # names of things
    "missing_folder": _with("data/train", "data/trian"),
    "unknown_entry_in_needs": _with("needs: [scan]", "needs: [scna]"),
    "unknown_job": _with("uses: resize", "uses: reszie"),
    "unknown_file_in_uses": _with("uses: resize", "uses: ./nothing.py:fit"),
    "unknown_module_in_uses": _with("uses: resize", "uses: nothing:fit"),
    "module_with_our_name": _with("uses: resize", "uses: jobs:resize"),
    "unknown_model": _with("resnet18", "resnet81"),
    "unknown_stop_rule": _train_has("stop: [brocken]"),
    "unknown_option_of_a_stop_rule": _train_has("stop: [{broken: {patience: 3}}]"),
    "name_of_an_entry": _with("  errors: {", "  Errors: {"),
    "name_of_the_run": _with("name: photos", "name: my photos"),
    # values
    "bad_duration": _with("2h", "2 hors"),
    "duration_without_a_unit": _with("2h", "120"),
    "no_time_at_all": _with("2h", "0s"),
    "bad_memory": _train_has("mem: 4 bananas"),
    "bad_number": _with("epochs: 3", "epochs: many"),
    "number_out_of_range": _with("k: 3", "k: 1"),
    "number_not_finite": _with("epochs: 3", "lr: .inf"),
    "value_of_env": _train_has("env: [TOKEN=hush]"),
    "needs_no_list": _with("needs: [train]", "needs: {train: 1}"),
    "matrix_no_list": _train_has("matrix: {lr: 0.1}"),
    "matrix_without_values": _train_has("matrix: {lr: []}"),
    "matrix_value_out_of_range": _train_has("matrix: {lr: [0.1, -2]}"),
    "matrix_of_an_unknown_parameter": _train_has("matrix: {lrr: [0.1, 0.2]}"),
    "matrix_and_with": _train_has("matrix: {epochs: [3, 4]}"),
    # the shape of it
    "cycle": _with("needs: [scan]", "needs: [scan, errors]"),
    "needs_itself": _with("needs: [scan]", "needs: [packed]"),
    "per_fold_without_folds": _with("needs: [folds]", "needs: [packed]"),
    "uses_and_run": _train_has("run: python train.py"),
    "neither_uses_nor_run": RIGHT + "  last: {needs: [train]}\n",
    "accelerator_without_account": _with("account: lab\n", ""),
    "smoke_of_a_cpu_job": _with("needs: [train]", "needs: [train], smoke: true"),
    "placeholder_without_value": RIGHT + "  last: {run: 'python a.py {fold}', needs: [train]}\n",
    "matrix_that_run_ignores": RIGHT + "  last: {run: python a.py, matrix: {x: [1, 2]}}\n",
    "value_that_run_ignores": RIGHT + "  last: {run: python a.py, with: {x: 1}}\n",
    "shell_in_run": RIGHT + "  last: {run: python a.py | tee log}\n",
    "open_quote_in_run": RIGHT + "  last: {run: python 'a.py}\n",
    "several": _with("      epochs: 3", "      epoch: 3").replace("uses: resize", "uses: reszie"),
    # the file
    "bad_yaml": _with("needs: [scan]", "needs: [scan"),
    "braces_in_run": RIGHT + "  last: {run: python a.py {fold}, needs: [train]}\n",
    "tab": _with("    limit: 2h", "\tlimit: 2h"),
    "python_object": _with("epochs: 3", "epochs: !!python/name:os.system"),
    "empty": "",
    "no_mapping": "- scan\n- train\n",
    "no_jobs": "name: photos\n",
    "jobs_without_entries": "name: photos\njobs: {}\n",
    "entry_without_anything": "name: photos\njobs:\n  scan:\n",
    # the edge of a session or a window
    "unknown_policy_at_the_edge": _train_has("at-edge: finish"),
    "edge_of_a_job_that_starts_anew": _with(
        "  errors:", "  probe: {run: ./fit.sh, devices: 1, at-edge: park}\n  errors:"
    ),
    "resume_beside_a_function": _train_has("resume: true"),
    "unknown_word_when_short": _train_has("when-short: go"),
    "negative_value": _train_has("value: -1"),
    "together_in_the_cpu_lane": _with("needs: [train]", "needs: [train], together: 2"),
    "together_of_nothing": _train_has("together: 0"),
    "priority_that_is_no_number": _train_has("priority: high"),
}
"""The text of a wrong plan by the name of its golden error."""

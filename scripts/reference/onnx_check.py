"""Runs an ONNX export of luna in onnxruntime, for luna's tests (Tests/InterchangeTests), which run it where LUNA_PYTHON
names a Python with onnx, onnxruntime and h5py.

    onnx_check.py MODEL ANSWERS...

Each ANSWERS is HDF5: /input, /coord and luna's /output. Checks the model and prints how far outputs lie from luna's at
most, then its metadata.
"""

import json
import sys
from pathlib import Path

import h5py
import onnx
import onnxruntime

sys.path.insert(0, str(Path(__file__).parent.parent / "lib"))

import command  # noqa: E402


def main(model, *answers):
    with command.reading(model, "an ONNX model"):
        onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    worst = 0.0
    for path in answers:
        with command.reading(path, "what luna has answered"), h5py.File(path) as file:
            output, = session.run(["output"], {value.name: file[value.name][()] for value in session.get_inputs()})
            if output.shape != file["output"].shape:
                raise command.Refusal(f"shape {output.shape}, expected {file['output'].shape}")
            worst = max(worst, float(abs(output - file["output"][()]).max()))
    print(worst)
    print(json.dumps(session.get_modelmeta().custom_metadata_map, sort_keys=True))


command.run(main, *sys.argv[1:])

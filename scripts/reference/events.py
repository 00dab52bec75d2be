"""What TensorBoard reads from a directory of event files, as JSON, for luna's tests (Tests/TensorBoardTests), which run
it where LUNA_PYTHON names a Python with tensorboard.

    events.py DIRECTORY

Prints {"scalars": {tag: [[step, wall time, value], ...]}, "images": {tag: [[step, width, height, PNG's size], ...]},
"texts": {tag: [[step, text], ...]}}.
"""

import json
import sys
from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

sys.path.insert(0, str(Path(__file__).parent.parent / "lib"))

import command  # noqa: E402

KEEP_ALL = {"scalars": 0, "images": 0, "tensors": 0}


def main(directory):
    events = EventAccumulator(directory, size_guidance=KEEP_ALL)
    events.Reload()
    tags = events.Tags()
    texts = {tag: [[e.step, e.tensor_proto.string_val[0].decode()] for e in events.Tensors(tag)]
             for tag in tags["tensors"] if events.SummaryMetadata(tag).plugin_data.plugin_name == "text"}
    print(json.dumps({
        "scalars": {tag: [[e.step, e.wall_time, e.value] for e in events.Scalars(tag)] for tag in tags["scalars"]},
        "images": {tag: [[e.step, e.width, e.height, len(e.encoded_image_string)] for e in events.Images(tag)]
                   for tag in tags["images"]},
        "texts": texts,
    }, sort_keys=True))


command.run(main, *sys.argv[1:])

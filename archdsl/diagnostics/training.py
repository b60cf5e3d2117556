"""A07xx: training."""

from __future__ import annotations

from typing import ClassVar

from archdsl.diagnostics.base import Diagnostic, Severity
from archdsl.record import record
from archdsl.source import Span


@record(kw_only=True)
class TrainingFault(Diagnostic):
    """Base of errors in training; they have no place in a spec."""

    span: Span | None = None


@record(kw_only=True)
class NoSuchFolder(TrainingFault):
    """A missing image folder."""

    code = "A0701"
    title = "no such folder: `{path}`"
    hint = "{advice}"

    path: str
    advice: str


@record(kw_only=True)
class TooFewClasses(TrainingFault):
    """Fewer than two classes.

    Each class of images is a folder of its own.
    """

    code = "A0702"
    title = "`{path}` has {found}; a classifier needs at least two classes"
    hint = "put the images of each class into a folder of its own: `{path}/CLASS/image.jpg`"

    path: str
    classes: tuple[str, ...]

    @property
    def found(self) -> str:
        return f"one class, `{self.classes[0]}`" if self.classes else "no folder with images"


@record(kw_only=True)
class TooFewPictures(TrainingFault):
    """A class with too few images.

    Training, validation and test each need at least one.
    """

    code = "A0703"
    title = "class `{name}` has {found}; it needs {least}, one for each split of the data"
    hint = "add files that end in {endings}, in `{path}` or its subfolders"

    name: str
    count: int
    path: str
    endings: str
    least: int

    @property
    def found(self) -> str:
        return f"{self.count} image{'' if self.count == 1 else 's'}"


@record(kw_only=True)
class NoValidation(TrainingFault):
    """Split data without a validation folder."""

    code = "A0704"
    title = "`{path}` has {found}, but no folder `{missing}`"
    hint = "add `train` and `val` (`test` is optional), each with one folder for each class"

    path: str
    found: str
    missing: str


@record(kw_only=True)
class UnreadablePicture(TrainingFault):
    """An unreadable image."""

    code = "A0705"
    title = "cannot read the image {reason}"
    hint = "{advice}"

    reason: str
    advice: str = "replace or remove the file, or use --skip-unreadable"


@record(kw_only=True)
class IncompleteFlowers(TrainingFault):
    """OxFlower17 with missing images."""

    code = "A0706"
    title = "OxFlower17 in `{path}` is incomplete: {missing} of 1,360 images are missing, the first is `{first}`"
    hint = "unpack 17flowers.tgz; its folder `jpg` contains image_0001.jpg to image_1360.jpg"

    path: str
    missing: int
    first: str


@record(kw_only=True)
class BadSplitFile(TrainingFault):
    """An invalid file of splits."""

    code = "A0707"
    title = "`{path}` is not a file of splits of OxFlower17: {reason}"
    hint = "remove it; archdsl then computes a split of the same proportions"

    path: str
    reason: str


@record(kw_only=True)
class NoSuchSplit(TrainingFault):
    """A split of OxFlower17 that does not exist."""

    code = "A0708"
    title = "`{path}` has no split {split}"
    hint = "it has {splits}"

    path: str
    split: int
    splits: str = "1, 2 and 3"


@record(kw_only=True)
class WrongChannels(TrainingFault):
    """Images with the wrong number of channels."""

    code = "A0709"
    title = "{model} takes {wanted}-channel images; those of {data} have {given}"
    hint = "{advice}"

    model: str
    wanted: int
    data: str
    given: int
    advice: str | None = None


@record(kw_only=True)
class WrongClassCount(TrainingFault):
    """A network with the wrong number of output classes."""

    code = "A0710"
    title = "{model} has {given} output {noun}; {data} has {wanted} classes"
    hint = "{advice}"

    model: str
    given: int
    data: str
    wanted: int
    advice: str = "add a parameter `classes` to the model, and use it as the width of its last layer"

    @property
    def noun(self) -> str:
        return "class" if self.given == 1 else "classes"


@record(kw_only=True)
class NotAClassifier(TrainingFault):
    """A network that is not a classifier."""

    code = "A0711"
    title = "{model} cannot be trained as a classifier: {reason}"
    hint = "its first output must be the logits, [N, classes]"

    model: str
    reason: str


@record(kw_only=True)
class DoesNotRun(TrainingFault):
    """A network that cannot take images of this size."""

    code = "A0712"
    title = "{model} cannot take images of {height}×{width}: {reason}"
    hint = "choose another --size"

    model: str
    height: int
    width: int
    reason: str


@record(kw_only=True)
class RunExists(TrainingFault):
    """A run folder that is not empty."""

    code = "A0713"
    title = "the folder `{path}` is not empty"
    hint = "{advice}"

    path: str
    advice: str


@record(kw_only=True)
class NothingToResume(TrainingFault):
    """A run that cannot be resumed."""

    code = "A0714"
    title = "`{path}` cannot be resumed: {reason}"
    hint = "give --resume the folder of a run that finished an epoch or was stopped by Ctrl-C"

    path: str
    reason: str


@record(kw_only=True)
class OtherNetwork(TrainingFault):
    """A checkpoint of another network."""

    code = "A0715"
    title = "the checkpoint in `{path}` is from another network: {difference}"
    hint = "use the spec and settings of that run, or start a new run"

    path: str
    difference: str


@record(kw_only=True)
class OtherSetting(TrainingFault):
    """A run resumed with another setting.

    A resumed run continues with the settings that it was started with.
    """

    code = "A0716"
    title = "`{path}` was trained with {saved}, not {given}"
    hint = "omit the setting to continue the run, or start a new run"

    path: str
    saved: str
    given: str


@record(kw_only=True)
class AlreadyTrainedFurther(TrainingFault):
    """A run that has already trained for more epochs."""

    code = "A0717"
    title = "`{path}` has already trained for {done} epochs; --epochs {asked} is less"
    hint = "--epochs counts from the start of the run: use more than {done}"

    path: str
    done: int
    asked: int


@record(kw_only=True)
class TrainerRefuses(TrainingFault):
    """Settings that the trainer rejects."""

    code = "A0718"
    title = "cannot train with these settings: {reason}"
    hint = "see --accelerator, --devices and --precision"

    reason: str


@record(kw_only=True)
class LossNotFinite(TrainingFault):
    """A loss that is NaN or infinite."""

    code = "A0719"
    title = "the loss is {loss} in epoch {epoch}: training has diverged"
    hint = "use a smaller --lr, or a longer --warmup"

    loss: float
    epoch: int


@record(kw_only=True)
class Stopped(TrainingFault):
    """A run that was stopped.

    After Ctrl-C the last state is saved, and `--resume` continues from it.
    """

    code = "A0720"
    severity: ClassVar[Severity] = "warning"
    title = "stopped {when}"
    hint = "{advice}"

    when: str
    advice: str | None = None


@record(kw_only=True)
class RunFailed(TrainingFault):
    """A run that failed."""

    code = "A0721"
    title = "{what} failed: {reason}"
    hint = "{advice}"

    what: str
    reason: str
    advice: str | None = None


@record(kw_only=True)
class UnknownSetting(TrainingFault):
    """A recipe with an unknown setting."""

    code = "A0722"
    title = "unknown setting `{name}` in the recipe"
    hint = "{advice}"

    name: str
    advice: str | None = None


@record(kw_only=True)
class BadRecipeValue(TrainingFault):
    """A recipe with an invalid value."""

    code = "A0723"
    title = "`{name}` must be {wanted}"

    name: str
    wanted: str


@record(kw_only=True)
class BadRecipe(TrainingFault):
    """A recipe that cannot be read."""

    code = "A0724"
    title = "this recipe is not valid TOML: {reason}"

    reason: str


@record(kw_only=True)
class NothingSelected(TrainingFault):
    """A pattern that matches no parameter."""

    code = "A0725"
    title = "`{option} {selector}` matches no parameter"
    hint = "{advice}"

    selector: str
    option: str
    advice: str | None = None


@record(kw_only=True)
class NothingLeftToTrain(TrainingFault):
    """All parameters are frozen."""

    code = "A0726"
    title = "`--freeze {selectors}` freezes all parameters"
    hint = "use a pattern that does not match the head"

    selectors: str


@record(kw_only=True)
class NoSpecInside(TrainingFault):
    """A checkpoint without its spec."""

    code = "A0727"
    title = "the checkpoint `{path}` does not contain its spec"
    hint = "use a checkpoint written by `archdsl train`"

    path: str


@record(kw_only=True)
class NothingReadable(TrainingFault):
    """A class without a readable image."""

    code = "A0728"
    title = "class `{name}` has no readable image for training; {count} images of the data are unreadable"

    name: str
    count: int


@record(kw_only=True)
class ClassesDiffer(TrainingFault):
    """Splits of the data with different classes."""

    code = "A0729"
    title = "the classes in `{path}` differ from those of the training split: `{name}` {problem}"
    hint = "use the same class folders in each split"

    path: str
    name: str
    problem: str


@record(kw_only=True)
class NoSuchDataset(TrainingFault):
    """A dataset that is missing."""

    code = "A0730"
    title = "no {name} in `{path}`: {reason}"
    hint = "download it once with `{call}`"

    name: str
    path: str
    reason: str
    call: str


@record(kw_only=True)
class WorkerDied(TrainingFault):
    """A data loader process that died."""

    code = "A0731"
    title = "a data loader process died: {reason}"
    hint = "if memory ran out, use fewer --workers, or 0. {advice}"

    reason: str
    advice: str | None = None


@record(kw_only=True)
class NotTrained(TrainingFault):
    """Weights without the metadata of their training."""

    code = "A0733"
    title = "`{path}` does not contain the class names and the normalization of its images"
    hint = "use the folder of a run, or a checkpoint or ONNX file written by `archdsl train`"

    path: str


@record(kw_only=True)
class RunInUse(TrainingFault):
    """A run that another process is training.

    Both would write the same checkpoints and the same log. A process that was killed does not leave a lock.
    """

    code = "A0734"
    title = "another process is training in `{path}`"
    hint = "wait until it ends, or stop it with Ctrl-C, then repeat this command"

    path: str


@record(kw_only=True)
class ScoresNotFinite(TrainingFault):
    """A network whose logits are NaN or infinite.

    Without finite logits there is no accuracy and no prediction. Causes are a training that diverged, an overflow in
    reduced precision, or a damaged file.
    """

    code = "A0735"
    title = "the logits of `{path}` are NaN or infinite for {count} of {images} images"
    hint = "train it again with a lower `--lr`, or evaluate another checkpoint"

    path: str
    count: int
    images: int


@record(kw_only=True)
class NoAverage(TrainingFault):
    """A moving average of a sharded network."""

    code = "A0732"
    title = "--ema cannot be combined with --strategy fsdp: a sharded network has no moving average"
    hint = "omit one of them"


@record(kw_only=True)
class BatchOfOne(TrainingFault):
    """Batch normalization with a batch of one.

    In training it divides by the standard deviation of each channel over the batch. If a channel of an example is a
    single number, as after `flatten` or a global pool, a batch of one has no deviation.
    """

    code = "A0736"
    title = "{model} cannot be trained with batches of one: its batch norm `{norm}` would see one number per channel"
    hint = "use a batch of at least 2: `{option} 2`"

    model: str
    norm: str
    option: str


@record(kw_only=True)
class StepLeftOut(TrainingFault):
    """A training step that cannot be measured with a batch of one.

    See A0736. The forward pass is still measured.
    """

    code = "A0737"
    severity: ClassVar[Severity] = "warning"
    title = "the training step at batch size 1 is omitted: the batch norm `{norm}` would see one number per channel"
    hint = "use a batch of at least 2 for a training step"

    norm: str

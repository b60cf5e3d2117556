"""A07xx: training."""

from __future__ import annotations

from archdsl.diagnostics.base import Diagnostic
from archdsl.record import record
from archdsl.source import Span


@record(kw_only=True)
class TrainingFault(Diagnostic):
    """Base of the faults of a run: they stand at no place in a spec."""

    span: Span | None = None


@record(kw_only=True)
class NoSuchFolder(TrainingFault):
    """A folder of pictures that is not there."""

    code = "A0701"
    title = "no such folder: `{path}`"
    hint = "{advice}"

    path: str
    advice: str


@record(kw_only=True)
class TooFewClasses(TrainingFault):
    """Fewer than two classes.

    Each class of pictures is a folder of its own.
    """

    code = "A0702"
    title = "`{path}` holds {found}; telling classes apart takes two"
    hint = "put the pictures of each class into a folder of its own: `{path}/CLASS/picture.jpg`"

    path: str
    classes: tuple[str, ...]

    @property
    def found(self) -> str:
        return f"one class, `{self.classes[0]}`" if self.classes else "no folder of pictures"


@record(kw_only=True)
class TooFewPictures(TrainingFault):
    """A class with too few pictures.

    Training, validation and test each need one.
    """

    code = "A0703"
    title = "class `{name}` has {found}; it takes {least}, one for each part of the data"
    hint = "pictures are files that end in {endings}, at any depth in `{path}`"

    name: str
    count: int
    path: str
    endings: str
    least: int

    @property
    def found(self) -> str:
        return f"{self.count} picture{'' if self.count == 1 else 's'}"


@record(kw_only=True)
class NoValidation(TrainingFault):
    """Divided pictures without a folder for validation."""

    code = "A0704"
    title = "`{path}` is divided into {found}, but holds no folder `{missing}`"
    hint = "divided data take `train`, `val` and, if there is one, `test`; each holds the class folders"

    path: str
    found: str
    missing: str


@record(kw_only=True)
class UnreadablePicture(TrainingFault):
    """A picture that cannot be read."""

    code = "A0705"
    title = "cannot read the picture {reason}"
    hint = "{advice}"

    reason: str
    advice: str = "replace or remove it, or let --skip-unreadable leave such pictures out"


@record(kw_only=True)
class IncompleteFlowers(TrainingFault):
    """OxFlower17 with pictures missing."""

    code = "A0706"
    title = "`{path}` is not the whole of OxFlower17: {missing} of 1,360 pictures are missing, `{first}` the first"
    hint = "unpack 17flowers.tgz; the folder `jpg` in it holds image_0001.jpg to image_1360.jpg"

    path: str
    missing: int
    first: str


@record(kw_only=True)
class BadSplitFile(TrainingFault):
    """A file of splits that is none."""

    code = "A0707"
    title = "`{path}` is no split of OxFlower17: {reason}"
    hint = "remove it, and a split of the same proportions is computed"

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
    """Pictures with another number of channels than the network takes."""

    code = "A0709"
    title = "{model} takes {wanted}-channel pictures; those of {data} have {given}"
    hint = "{advice}"

    model: str
    wanted: int
    data: str
    given: int
    advice: str | None = None


@record(kw_only=True)
class WrongClassCount(TrainingFault):
    """A network that tells another number of classes apart."""

    code = "A0710"
    title = "{model} tells {given} classes apart; {data} has {wanted}"
    hint = "{advice}"

    model: str
    given: int
    data: str
    wanted: int
    advice: str = "give the model a parameter named `classes` for the size of its head"


@record(kw_only=True)
class NotAClassifier(TrainingFault):
    """A network that is no classifier."""

    code = "A0711"
    title = "{model} cannot be trained as a classifier: {reason}"
    hint = "its first output has to be one score for each class, [N, classes]"

    model: str
    reason: str


@record(kw_only=True)
class DoesNotRun(TrainingFault):
    """A network that does not run on pictures of this size."""

    code = "A0712"
    title = "{model} does not run on pictures of {height}×{width}: {reason}"
    hint = "another --size may fit"

    model: str
    height: int
    width: int
    reason: str


@record(kw_only=True)
class RunExists(TrainingFault):
    """A folder for a run that holds files already."""

    code = "A0713"
    title = "`{path}` already holds files"
    hint = "{advice}"

    path: str
    advice: str


@record(kw_only=True)
class NothingToResume(TrainingFault):
    """A run that cannot be resumed."""

    code = "A0714"
    title = "`{path}` cannot be resumed: {reason}"
    hint = "--resume takes the folder of a run that has finished an epoch or was stopped by Ctrl-C"

    path: str
    reason: str


@record(kw_only=True)
class OtherNetwork(TrainingFault):
    """A checkpoint of another network."""

    code = "A0715"
    title = "the checkpoint in `{path}` is of another network: {difference}"
    hint = "give the spec and the settings that the run was started with, or start a new run"

    path: str
    difference: str


@record(kw_only=True)
class OtherSetting(TrainingFault):
    """A run resumed with another setting.

    What a run learned belongs to its settings.
    """

    code = "A0716"
    title = "`{path}` was trained with {saved}, not {given}"
    hint = "leave the setting out to go on as before, or start a new run"

    path: str
    saved: str
    given: str


@record(kw_only=True)
class AlreadyTrainedFurther(TrainingFault):
    """A run that has gone further already."""

    code = "A0717"
    title = "`{path}` has already trained for {done} epochs, more than the {asked} asked for"
    hint = "--epochs counts from the beginning of the run"

    path: str
    done: int
    asked: int


@record(kw_only=True)
class TrainerRefuses(TrainingFault):
    """Settings that the trainer refuses."""

    code = "A0718"
    title = "cannot train with these settings: {reason}"
    hint = "see --accelerator, --devices and --precision"

    reason: str


@record(kw_only=True)
class LossNotFinite(TrainingFault):
    """A loss that is not a number."""

    code = "A0719"
    title = "the loss is {loss} in epoch {epoch}: training has diverged"
    hint = "try a smaller --lr, or a longer --warmup"

    loss: float
    epoch: int


@record(kw_only=True)
class Stopped(TrainingFault):
    """A run that was stopped.

    Ctrl-C ends a run in order: its last state is kept, and `--resume` goes on from there.
    """

    code = "A0720"
    severity = "warning"
    title = "stopped {when}"
    hint = "{advice}"

    when: str
    advice: str | None = None


@record(kw_only=True)
class RunFailed(TrainingFault):
    """A run that broke off."""

    code = "A0721"
    title = "{what} broke off: {reason}"
    hint = "{advice}"

    what: str
    reason: str
    advice: str | None = None


@record(kw_only=True)
class UnknownSetting(TrainingFault):
    """A recipe with a setting that does not exist."""

    code = "A0722"
    title = "a recipe has no setting `{name}`"
    hint = "{advice}"

    name: str
    advice: str | None = None


@record(kw_only=True)
class BadRecipeValue(TrainingFault):
    """A recipe with a value that the setting cannot take."""

    code = "A0723"
    title = "`{name}` is {wanted}"
    at = "this is not"

    name: str
    wanted: str


@record(kw_only=True)
class BadRecipe(TrainingFault):
    """A recipe that cannot be read."""

    code = "A0724"
    title = "this recipe is not TOML: {reason}"

    reason: str


@record(kw_only=True)
class NothingSelected(TrainingFault):
    """A pattern that no weight matches."""

    code = "A0725"
    title = "`{option} {selector}` matches no weight"
    hint = "{advice}"

    selector: str
    option: str
    advice: str | None = None


@record(kw_only=True)
class NothingLeftToTrain(TrainingFault):
    """Every weight is frozen."""

    code = "A0726"
    title = "`--freeze {selectors}` leaves nothing to train"
    hint = "leave the head out of it"

    selectors: str


@record(kw_only=True)
class NoSpecInside(TrainingFault):
    """A checkpoint without its spec."""

    code = "A0727"
    title = "`{path}` does not carry the spec that it is of"
    hint = "a checkpoint that `archdsl train` wrote does"

    path: str


@record(kw_only=True)
class NothingReadable(TrainingFault):
    """A class without a readable picture."""

    code = "A0728"
    title = "no picture of class `{name}` can be read to train on; {count} of all are unreadable"

    name: str
    count: int


@record(kw_only=True)
class ClassesDiffer(TrainingFault):
    """Parts of the data with different classes."""

    code = "A0729"
    title = "`{path}` has other classes than the training pictures: `{name}` {problem}"
    hint = "each part has to hold the same class folders"

    path: str
    name: str
    problem: str


@record(kw_only=True)
class NoSuchDataset(TrainingFault):
    """A data set that is not there."""

    code = "A0730"
    title = "no {name} in `{path}`: {reason}"
    hint = "fetch it once with `{call}`"

    name: str
    path: str
    reason: str
    call: str


@record(kw_only=True)
class WorkerDied(TrainingFault):
    """A process that reads pictures died."""

    code = "A0731"
    title = "a process that reads pictures died: {reason}"
    hint = "often for want of memory: try fewer --workers, or 0. {advice}"

    reason: str
    advice: str | None = None


@record(kw_only=True)
class NotTrained(TrainingFault):
    """Weights that do not say what they were trained for."""

    code = "A0733"
    title = "`{path}` does not say its classes and how its pictures are normalised"
    hint = "give the folder of a run, or a checkpoint or ONNX file that `archdsl train` wrote"

    path: str


@record(kw_only=True)
class RunInUse(TrainingFault):
    """A run that another process is training.

    Both would write the same checkpoints and the same log. A process that was killed leaves no lock behind.
    """

    code = "A0734"
    title = "another process is training in `{path}`"
    hint = "wait until it ends, or stop it with Ctrl-C and repeat this command"

    path: str


@record(kw_only=True)
class ScoresNotFinite(TrainingFault):
    """A trained network whose scores are NaN.

    Classes cannot be ranked by them, so there is no accuracy and no prediction. A training that diverged, weights that
    overflow in reduced precision, or a damaged file give such scores.
    """

    code = "A0735"
    title = "`{path}` gives scores that are NaN or infinite for {count} of {images} images"
    hint = "train it again with a lower `--lr`, or evaluate another checkpoint"

    path: str
    count: int
    images: int


@record(kw_only=True)
class NoAverage(TrainingFault):
    """A moving average of a sharded network."""

    code = "A0732"
    title = "a sharded network has no moving average: --ema and --strategy fsdp exclude each other"
    hint = "leave one of them out"


@record(kw_only=True)
class BatchOfOne(TrainingFault):
    """A batch norm that is trained on a batch of one example.

    In training it divides by the deviation of each channel over the batch. Where a channel of one example is a single
    number, as behind `flatten` or a global pool, a batch of one has no deviation.
    """

    code = "A0736"
    title = "{model} cannot be trained on batches of one: its batch norm `{norm}` would see one number in each channel"
    hint = "a batch of at least 2: `{option} 2`"

    model: str
    norm: str
    option: str


@record(kw_only=True)
class StepLeftOut(TrainingFault):
    """A training step that cannot be measured at a batch of one.

    See A0736. The forward pass is measured all the same.
    """

    code = "A0737"
    severity = "warning"
    title = (
        "the training step at batch size 1 is left out: the batch norm `{norm}` would see one number in each channel"
    )
    hint = "a training step takes a batch of at least 2"

    norm: str

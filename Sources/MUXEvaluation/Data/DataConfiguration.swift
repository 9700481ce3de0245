// SPDX-License-Identifier: Apache-2.0
import MUXCore
public import MUXImages
public import MUXVision

/// Which images to train on and how they are read.
public struct DataConfiguration: Codable, Hashable, Sendable {
  /// A kind of data set.
  public enum Source: String, Codable, CaseIterable, Sendable {
    /// The handwritten digits that come with the package.
    case digits
    /// CIFAR-10 in its binary files.
    case cifar10
    /// CIFAR-100 in its binary files.
    case cifar100
    /// A folder with one folder of images per class, or with `train` and `val`/`test` of that kind.
    case folder
    /// A list of images and their classes as comma-separated values (`path,label`), or a folder
    /// with such lists: `train.csv`, `val.csv`, `test.csv`.
    case list
    /// Boxes in PASCAL VOC's form: a folder with `Annotations`, `ImageSets` and `JPEGImages`, or one with
    /// several of these (`VOC2007`, `VOC2012`). Parts are lists of `ImageSets/Main`, such as `trainval`,
    /// `VOC2007/test`, or several with `+` between them.
    case voc
    /// Boxes in COCO's form: a folder with `annotations/instances_PART.json`, or one JSON file.
    case coco
    /// Boxes in YOLO's form: the YAML file that names parts and classes, or its folder.
    case yolo
    /// Boxes as comma-separated values (`image,x0,y0,x1,y1,class`): a list, or a folder with such lists.
    case boxes
    /// ChestX-ray14 as it is distributed: images anywhere below the folder, a table of findings or lists
    /// with flags (`ChestXRay14`); or a table of its form.
    case chestxray14
  }

  /// In which order the images of an epoch come.
  public enum Sampler: String, Codable, CaseIterable, Sendable {
    /// Each once, shuffled.
    case shuffled
    /// As many, drawn so that rare classes come up more often than they occur.
    case balanced
  }

  /// The kind of data set.
  public var source: Source = .folder
  /// The folder of the data, or a list; the digits need none.
  public var path: String?
  /// Source `folder`: the training images' folder below `path`; source `list`: their list there,
  /// without `.csv`; with boxes: the name of the part.
  public var trainingFolder: String = "train"
  /// Source `folder`: the validation images' folder below `path`, used where
  /// `validationFraction` is 0.
  public var validationFolder: String = "val"
  /// Source `folder`: the test images' folder below `path`, used where `testFraction` is 0.
  public var testFolder: String = "test"
  /// Source `list`: the column that has the classes of an image, several with `|` between them; `nil`
  /// looks for `label` or `labels`, and else takes a column of 0 and 1 for each class.
  public var labelColumn: String?
  /// Source `list`: a name that stands for no class, such as `No Finding`.
  public var noneLabel: String?
  /// Share of the training images held out for validation, drawn class by class with
  /// `splitSeed`; 0 takes the data set's own validation images (CIFAR: its test images).
  public var validationFraction: Double = 0
  /// Share of the training images held out for a final test; 0 takes the data set's own test
  /// images, if it has any.
  public var testFraction: Double = 0
  /// Divisions for cross-validation, 2…1000: one of as many equal parts of the training images,
  /// `fold`, is held out for validation, drawn class by class with `splitSeed`. It takes the place of
  /// `validationFraction`; `nil`, the default, means none.
  public var folds: Int?
  /// Which of the `folds` is held out, 1…`folds`.
  public var fold: Int = 1
  /// Source `chestxray14`: by which lists the images are divided into parts; `nil` takes those that are
  /// there, the official ones first.
  public var split: ChestXRay14.Split?
  /// A regular expression that finds in the name of an image's file what no split may cut apart, such as
  /// the patient: `^([0-9]+)_` finds the number before the first underscore. What is in the first
  /// parentheses counts, without any all that was found. `nil` means that each image stands for itself.
  public var groupPattern: String?
  /// The most images of each part that are used, spread evenly over it: for trials of a whole way; `nil`
  /// means all.
  public var limit: Int?
  /// Seed of the split; apart from the run's seed, so that runs share their validation images.
  public var splitSeed: UInt64 = 0
  /// Source `folder`: what is done with the orientation that cameras write into files (EXIF):
  /// `applied` turns pictures upright, `ignored` leaves them as they are stored, as torchvision does.
  public var orientation: OrientationHandling = .applied
  /// Whether a training keeps its images in memory, which spares decoding them in every epoch; at the
  /// size that the network needs where augmentation begins with a change of size.
  public var cache: Bool = false
  /// The most MiB that kept images take, of training and validation together; the others are decoded
  /// each time.
  public var cacheMebibytes: Int = 1024
  /// Threads that read and transform images ahead.
  public var workers: Int = 2
  /// Batches prepared ahead.
  public var prefetch: Int = 4
  /// Batch size of the evaluation; `nil` takes the training's.
  public var evaluationBatchSize: Int?
  /// Mean of each channel, of values in 0…1; `nil` takes that of the data set.
  public var mean: [Double]?
  /// Standard deviation of each channel, of values in 0…1; `nil` takes that of the data set.
  public var standardDeviation: [Double]?

  /// Which training images an epoch has: `shuffled`, each once, or `balanced`, as many, drawn so that
  /// images of rare classes come several times (each augmented in its own way) and some of frequent
  /// classes wait for another epoch. Where an image has several labels, the rarest counts.
  public var sampler: Sampler = .shuffled
  /// Sampler `balanced`: how far classes are balanced, 0…1. A class of n images comes up in proportion
  /// to n^(1 − strength): at 1, the default, all equally often, at 0 as they are.
  public var samplerStrength: Double = 1

  /// The defaults: a folder of images.
  public init() {}

  /// Reads the settings that are there; the others keep their defaults.
  public init(from decoder: any Decoder) throws {
    try self.init(settingsFrom: decoder)
  }
}

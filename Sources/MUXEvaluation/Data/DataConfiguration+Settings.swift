// SPDX-License-Identifier: Apache-2.0
public import MUXCore

extension DataConfiguration: SettingGroup {
  package static var settings: [Setting<Self>] {
    places + division + loading + values
  }

  /// Where the images and their labels are.
  private static var places: [Setting<Self>] {
    [
      Setting("source", \.source, "The kind of data set"),
      Setting(
        "path", \.path, "The folder of the data, or a list", absent: "the digits need none",
        in: .named("photos")),
      Setting(
        "trainingFolder", \.trainingFolder,
        "The training images' folder below path; for lists their name without .csv, for boxes the part"
      ),
      Setting(
        "validationFolder", \.validationFolder,
        "The same for the validation images, if validationFraction is 0"),
      Setting(
        "testFolder", \.testFolder, "The same for the test images, if testFraction is 0"),
      Setting(
        "labelColumn", \.labelColumn,
        "Source list: the column of an image's classes, several with | between them",
        absent: "label or labels, else a column of 0 and 1 for each class", in: .named("labels")),
      Setting(
        "noneLabel", \.noneLabel,
        "Source list: a name that stands for no class, such as No Finding",
        absent: "none", in: .named("No Finding")),
    ]
  }

  /// Which images are for training, for validation and for the test.
  private static var division: [Setting<Self>] {
    [
      Setting(
        "validationFraction", \.validationFraction,
        "Share of the training images held out for validation, class by class; 0 takes the data's own",
        in: .within(0..<1)),
      Setting(
        "testFraction", \.testFraction,
        "Share of the training images held out for a final test; 0 takes the data's own",
        in: .within(0..<1)),
      Setting(
        "folds", \.folds,
        "Cross-validation: equal parts of the training images, one of which is held out for validation",
        absent: "none", in: .within(2...1000)),
      Setting("fold", \.fold, "The number of the fold that is held out", in: .within(1...1000)),
      Setting(
        "splitSeed", \.splitSeed,
        "Seed of the split, separate from the run's, so that runs share their validation images"),
      Setting(
        "split", \.split,
        "Source chestxray14: how images are divided into parts",
        absent: "the lists that are there, the official ones first"),
      Setting(
        "groupPattern", \.groupPattern,
        "A regular expression that finds the group in a file name (the patient), which no split may divide",
        absent: "each image stands for itself", in: .named("^[0-9]+")),
      Setting(
        "limit", \.limit,
        "The most images to use of each part, spread evenly over it, for trials",
        absent: "all", unit: "images", in: .within(1...1_000_000_000)),
    ]
  }

  /// How images are read.
  private static var loading: [Setting<Self>] {
    [
      Setting(
        "orientation", \.orientation,
        "How the EXIF orientation is treated"),
      Setting(
        "cache", \.cache, "Whether training keeps decoded images in memory"),
      Setting(
        "cacheMebibytes", \.cacheMebibytes,
        "The most memory for cached images; the others are decoded each time", unit: "MiB",
        in: .within(0...(1 << 30))),
      Setting(
        "workers", \.workers, "Threads that read and transform images ahead", unit: "threads",
        in: .within(1...1024)),
      Setting(
        "prefetch", \.prefetch, "Batches prepared ahead", unit: "batches", in: .within(1...100_000)),
      Setting(
        "evaluationBatchSize", \.evaluationBatchSize, "Batch size of the evaluation",
        absent: "batchSize", unit: "images", in: .within(1...1_000_000)),
    ]
  }

  /// What becomes of their values, and which an epoch has.
  private static var values: [Setting<Self>] {
    [
      Setting(
        "mean", \.mean, "Mean of each channel, of values in 0…1", absent: "that of the data set",
        in: SettingRule(
          "numbers in -1000000…1000000", expected: "every value must lie in -1000000…1000000"
        ) { $0.allSatisfy { abs($0) <= 1e6 } }),
      Setting(
        "standardDeviation", \.standardDeviation,
        "Standard deviation of each channel, of values in 0…1", absent: "that of the data set",
        in: SettingRule(
          "numbers in 0.000001…1000000", expected: "every value must lie in 0.000001…1000000"
        ) { $0.allSatisfy { $0 >= 1e-6 && $0 <= 1e6 } }),
      Setting(
        "sampler", \.sampler,
        "How training images are sampled; of an image's labels the rarest counts"),
      Setting(
        "samplerStrength", \.samplerStrength,
        "Sampler balanced: a class of n images comes up in proportion to n^(1 − this)",
        in: .within(0...1)),
    ]
  }

  /// Throws an error that names the first setting out of its range.
  public func validate(path keyPath: String = "data") throws(ConfigurationError) {
    try ConfigurationError.require(
      source == .digits || path != nil, "\(keyPath).path", "missing",
      "source \(source.rawValue) needs the folder of the data")
    try checkSettings(path: keyPath)
    try ConfigurationError.require(
      source != .digits && source != .cifar10 && source != .cifar100
        || (labelColumn ?? noneLabel) == nil, "\(keyPath).labelColumn", labelColumn ?? "none",
      "columns are those of a list; set source to list")
    try ConfigurationError.require(
      source == .chestxray14 || split == nil, "\(keyPath).split", split?.rawValue ?? "none",
      "is for source chestxray14; other data is divided by its own parts or by fractions")
    if let groupPattern {
      try ConfigurationError.require(
        ![.digits, .cifar10, .cifar100, .chestxray14].contains(source), "\(keyPath).groupPattern",
        groupPattern, "source \(source.rawValue) has no names of files that groups are found in")
      _ = try Self.pattern(groupPattern)
    }
    try ConfigurationError.require(
      validationFraction + testFraction < 1, "\(keyPath).testFraction",
      testFraction, "must leave images to train on beside validationFraction \(validationFraction)")
    try ConfigurationError.require(
      source != .digits || validationFraction > 0 || folds != nil, "\(keyPath).validationFraction",
      validationFraction, "the digits have no validation images of their own; hold out 0.1 or so")
    if let folds {
      try ConfigurationError.require("\(keyPath).fold", fold, in: 1...folds)
    } else {
      try ConfigurationError.require(
        fold == 1, "\(keyPath).fold", fold, "says which of \(keyPath).folds, and these are not set")
    }
    try ConfigurationError.require(
      mean == nil || standardDeviation == nil || mean?.count == standardDeviation?.count,
      "\(keyPath).mean", mean ?? [], "must have as many values as standardDeviation")
  }
}

extension DataConfiguration.Source: ChosenSetting {
  package var meaning: String {
    switch self {
    case .digits: "the handwritten digits that come with the package"
    case .cifar10: "CIFAR-10 in its binary files"
    case .cifar100: "CIFAR-100 in its binary files"
    case .folder: "one folder of images per class, or train, val and test folders of that kind"
    case .list: "lists of images and classes (path,label) as comma-separated values"
    case .voc: "boxes in PASCAL VOC's form: Annotations, ImageSets and JPEGImages; parts are lists"
    case .coco: "boxes in COCO's form: annotations/instances_PART.json, or one JSON file"
    case .yolo: "boxes in YOLO's form: the YAML file that names parts and classes, or its folder"
    case .boxes: "boxes as comma-separated values (image,x0,y0,x1,y1,class), a list for each part"
    case .chestxray14: "ChestX-ray14: its images with a table of findings, or lists with flags"
    }
  }
}

extension DataConfiguration.Sampler: ChosenSetting {
  package var meaning: String {
    switch self {
    case .shuffled: "each image once"
    case .balanced: "as many, with rare classes drawn more often than they occur"
    }
  }
}

extension ArithmeticPrecision: ChosenSetting {
  package var meaning: String {
    switch self {
    case .float32: "single precision"
    case .bfloat16: "convolutions and linear layers in bfloat16 where that is safe"
    case .float16: "the same in half precision, with a scaled loss, for devices without bfloat16"
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
import MUXCore
import MUXTasks

/// Shows a run as it goes: a bar that is drawn over on a terminal, plain lines elsewhere.
public final class ProgressRenderer: TrainingObserver {
  /// Where the text goes and what may be drawn there.
  public struct Style: Sendable {
    /// Whether lines can be drawn over.
    public var isTerminal: Bool
    /// Columns of the terminal.
    public var width: Int
    /// Steps between two lines where lines cannot be drawn over.
    public var everySteps: Int
    /// Least seconds between two drawings of the bar.
    public var interval: Double

    /// A style; by default plain lines.
    public init(
      isTerminal: Bool = false, width: Int = 100, everySteps: Int = 50, interval: Double = 0.1
    ) {
      self.isTerminal = isTerminal
      self.width = width
      self.everySteps = everySteps
      self.interval = interval
    }
  }

  private let style: Style
  private let write: (String) -> Void
  private let clock = ContinuousClock()
  private var lastDrawn: ContinuousClock.Instant?
  private var overview: RunOverview?
  private var hasBar = false

  /// Makes a renderer that hands its text to `write`, usually for the standard error.
  public init(style: Style, write: @escaping (String) -> Void) {
    self.style = style
    self.write = write
  }

  /// Draws an event.
  public func handle(_ event: TrainingEvent) {
    switch event {
    case .started(let overview): start(overview)
    case .step(let report): step(report)
    case .evaluating(let images, let total):
      guard style.isTerminal, isDue() else { return }
      draw("evaluating \(images)/\(total)")
    case .epoch(let report): line(text(report))
    case .saved: break
    case .notice(let text), .warning(let text): line(text)
    case .finished(let result): finish(result)
    }
  }

  private func start(_ overview: RunOverview) {
    self.overview = overview
    line(
      "\(overview.network): \(overview.parameters) parameters, "
        + "\(NumberText.fixed(Double(overview.multiplyAdds) / 1e6, decimals: 2)) M multiply-adds, "
        + overview.device)
    line(
      "\(overview.trainingImages) training and \(overview.validationImages) validation images of "
        + "\(overview.classes) classes; \(overview.stepsPerEpoch) steps in each of "
        + "\(overview.epochs) epochs")
    line(overview.learningRate)
    line(
      overview.firstStep == 0
        ? "run folder \(overview.folder)"
        : "run folder \(overview.folder), going on after step \(overview.firstStep)")
  }

  private func step(_ report: StepReport) {
    let steps = overview?.stepsPerEpoch ?? 0
    let text =
      "loss \(NumberText.fixed(report.loss, decimals: 3))"
      + " (\(NumberText.fixed(report.meanLoss, decimals: 3)))"
      + "  \(NumberText.significant(report.imagesPerSecond, digits: 4)) images/s"
      + "  ETA \(NumberText.duration(report.secondsLeft))"
      + "  lr \(NumberText.significant(report.learningRate, digits: 3))"
      + "  wait \(NumberText.percent(report.dataWait))"
    if style.isTerminal {
      guard isDue() else { return }
      let head = "epoch \(report.epoch)/\(overview?.epochs ?? 0) "
      let room = max(style.width - head.count - text.count - 4, 0)
      draw(head + Self.bar(Double(report.stepInEpoch) / Double(max(steps, 1)), width: room) + text)
    } else if report.step % style.everySteps == 0 {
      line(
        "epoch \(report.epoch)/\(overview?.epochs ?? 0)  step \(report.stepInEpoch)/\(steps)  "
          + text)
    }
  }

  private func finish(_ result: TrainingResult) {
    let time = NumberText.duration(result.seconds)
    if let best = result.best, let scores = best.validation {
      let values = shownMetrics.reversed().map { "\($0.label) \($0.text(scores[$0]))" }
      line("best epoch \(best.epoch): " + values.joined(separator: ", "))
    }
    switch result.ending {
    case .completed: line("done in \(time)")
    case .timeBudget: line("stopped after \(time): the time budget is spent")
    case .maxSteps: line("stopped after \(time): \(result.steps) steps are done (maxSteps)")
    case .patience: line("stopped after \(time): no improvement")
    case .interrupted:
      line("interrupted after \(time); the run in \(result.folder) can be resumed")
    }
  }

  /// The loss, and what epochs are ranked by (what they are ranked by as a rule, where that is the loss).
  private var shownMetrics: [Metric] {
    guard let overview else { return [] }
    let task = overview.task.task
    let ranked =
      overview.metric.name == Metric.loss.name
      ? task.metrics.first { $0.name != Metric.loss.name } : overview.metric
    return task.metrics.filter { $0.name == Metric.loss.name } + (ranked.map { [$0] } ?? [])
  }

  /// One line for an epoch.
  private func text(_ report: EpochReport) -> String {
    var text = "epoch \(report.epoch)/\(overview?.epochs ?? report.epoch)"
    text += "  train loss \(NumberText.fixed(report.trainingLoss, decimals: 4))"
    if let scores = report.validation {
      for metric in shownMetrics {
        text += metric.name == Metric.loss.name ? "  val " : "  "
        text += "\(metric.label) \(metric.text(scores[metric]))"
      }
      if report.isBest { text += " *" }
    }
    text += "  \(NumberText.significant(report.imagesPerSecond, digits: 4)) images/s"
    text += "  wait \(NumberText.percent(report.dataWait))"
    return text + "  \(NumberText.duration(report.seconds))"
  }

  /// A bar such as `[####----] `; nothing where there is no room.
  static func bar(_ share: Double, width: Int) -> String {
    guard width >= 4 else { return "" }
    let cells = min(width, 30)
    let full = Int((min(max(share, 0), 1) * Double(cells)).rounded(.down))
    return "[" + String(repeating: "#", count: full)
      + String(repeating: "-", count: cells - full) + "] "
  }

  private func isDue() -> Bool {
    let now = clock.now
    if let lastDrawn, lastDrawn.duration(to: now) < .seconds(style.interval) { return false }
    lastDrawn = now
    return true
  }

  private func draw(_ text: String) {
    hasBar = true
    write("\r\u{1B}[2K" + text.prefix(max(style.width - 1, 1)))
  }

  private func line(_ text: String) {
    write((hasBar ? "\r\u{1B}[2K" : "") + text + "\n")
    hasBar = false
  }
}

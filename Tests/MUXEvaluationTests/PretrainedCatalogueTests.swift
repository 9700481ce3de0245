// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXEvaluation
import MUXImages
import MUXNetworks
import MUXTestSupport
import Testing

@Suite("The list of public weights")
struct PretrainedCatalogueTests {
  @Test("Every entry fits its network, its source and its classes")
  func entries() throws {
    let catalogue = try PretrainedCatalogue.shipped()
    #expect(catalogue.entries.count > 20)
    for entry in catalogue.entries {
      let network = try ModelZoo.network(named: entry.network)
      #expect(network.classCount == entry.classes.names.count, "\(entry.name)")
      #expect(network.inputSize == ImageSize(entry.preparation.crop), "\(entry.name)")
      #expect(entry.preparation.pipeline.outputSize == ImageSize(entry.preparation.crop))
      #expect((0.5..<1).contains(entry.accuracy.top1))
      #expect((entry.accuracy.top5 ?? 1) > entry.accuracy.top1, "\(entry.name)")
      switch entry.source {
      case .wheel(_, _, let file):
        #expect(entry.sha256?.count == 64)
        // The authors put the first digits into the name.
        #expect(file.hasSuffix("-\(entry.sha256?.prefix(8) ?? "").pth"))
      case .address(let address): #expect(address.hasSuffix("-\(entry.sha256 ?? "").pth"))
      case .page: #expect(entry.sha256 == nil)
      }
    }
    for name in ["tf_efficientnet_lite0", "tf_efficientnet_lite4", "muxnet_m", "muxnet_l"] {
      #expect(try catalogue.entry(named: name).network == name)
    }
  }

  @Test("A name that there is not leads to the nearest")
  func unknown() throws {
    let catalogue = try PretrainedCatalogue.shipped()
    #expect {
      _ = try catalogue.entry(named: "tf_eficientnet_lite0")
    } throws: {
      "\($0)".hasPrefix(
        "there are no pretrained weights 'tf_eficientnet_lite0'; did you mean 'tf_efficientnet_lite0'"
      )
    }
  }

  private static let entry = """
    version: 1
    weights:
      - name: a
        network: resnet50
        source: {address: https://example.org/a.pth}
        sha256: "0123abcd"
        licence: MIT
        accuracy: {top1: 0.7, origin: somebody}
        preparation:
          {shorterSide: 256, interpolation: bicubic, crop: 224, mean: [0.5, 0.5, 0.5],
          standardDeviation: [0.5, 0.5, 0.5]}
        classes: imagenet1k
    """

  @Test(
    "What a list must not say is refused by a sentence",
    arguments: [
      ("version: 1", "version: 2", "version 2 is not read, only 1"),
      ("licence: MIT", "license: MIT", "unknown key 'license'; did you mean 'licence'?"),
      ("name: a", "name: ../a", "'../a' is no name for weights"),
      ("\"0123abcd\"", "\"0123ABCD\"", "'0123ABCD' is not a SHA-256"),
      ("\"0123abcd\"", "\"0123\"", "'0123' is not a SHA-256"),
      ("https://example", "http://example", "an address must begin with https://"),
      ("crop: 224", "crop: 300", "the preparation makes no images"),
      ("imagenet1k", "imagenet", "imagenet"),
    ])
  func refusals(text: String, change: String, reason: String) throws {
    #expect(try PretrainedCatalogue(yaml: Self.entry).entries.count == 1)
    #expect {
      _ = try PretrainedCatalogue(yaml: Self.entry.replacing(text, with: change))
    } throws: { "\($0)".contains(reason) && !"\($0)".contains("\n") }
  }

  @Test("ImageNet's classes: a thousand names, all different")
  func classes() {
    #expect(ImageNetClasses.names.count == 1000)
    #expect(Set(ImageNetClasses.names).count == 1000)
    #expect(Set(ImageNetClasses.wordNetIDs).count == 1000)
    #expect(ImageNetClasses.wordNetIDs.allSatisfy(ImageNetClasses.isWordNetID))
    #expect(ImageNetClasses.names[0] == "tench" && ImageNetClasses.names[999] == "toilet tissue")
    #expect(!ImageNetClasses.isWordNetID("nightgown"))
  }

  private static let list = "reference/pretrained/imagenet1k_wnids.txt"

  @Test(
    "The numbers of WordNet are those of the public list, and the names are among its words",
    .enabled(if: Shared.has(list), "\(Shared.absent)"))
  func publicList() throws {
    let rows = try String(contentsOfFile: Shared.path(Self.list), encoding: .utf8)
      .split(separator: "\n").map { $0.split(separator: "\t").map(String.init) }
    #expect(rows.map { $0[1] } == ImageNetClasses.wordNetIDs)
    let strange = zip(rows, ImageNetClasses.names).filter { row, name in
      !row[2].lowercased().contains(name.lowercased())
    }
    // torchvision tells cranes and maillots apart, which the list does not.
    #expect(strange.map(\.1) == ["crane bird", "maillot tank suit"])
  }
}

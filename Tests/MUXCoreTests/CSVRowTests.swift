// SPDX-License-Identifier: Apache-2.0
import MUXCore
import Testing

@Suite("Lines of comma-separated values") struct CSVRowTests {
  @Test(
    "a field with a comma, a quotation mark or a line end of any kind stands in quotes",
    arguments: [
      ("plain text", "plain text"), ("", ""), ("a;b\tc", "a;b\tc"), ("a,b", "\"a,b\""),
      ("say \"no\"", "\"say \"\"no\"\"\""), ("a\nb", "\"a\nb\""), ("a\rb", "\"a\rb\""),
      ("a\r\nb", "\"a\r\nb\""),
    ])
  func field(text: String, written: String) {
    #expect(CSVRow.line([text, "x"]) == "\(written),x")
  }

  @Test("each row of a table has its end") func table() {
    #expect(CSVRow.text([["a", "b"], ["1,5", ""]]) == "a,b\n\"1,5\",\n")
    #expect(CSVRow.text([]).isEmpty)
  }
}

// SPDX-License-Identifier: Apache-2.0

import Settings
import Testing

@Suite struct ByteSizeTests {
    @Test(
        "Sizes are read in powers of 1024 and written in whole units",
        arguments: [
            ("0", 0, "0B"), ("512MB", 536_870_912, "512MiB"),
            ("1.5GiB", 1_610_612_736, "1GiB512MiB"),
            ("1GB512MB", 1_610_612_736, "1GiB512MiB"), ("10B", 10, "10B"), ("-1KB", -1024, "-1KiB"),
            ("5EB", 5_764_607_523_034_234_880, "5EiB"), ("12.25KB", 12544, "12KiB256B"),
        ])
    func sizes(text: String, size: Int, written: String) throws {
        #expect(try ByteSize.parse(text).get() == size)
        #expect(ByteSize.format(size) == written)
    }

    @Test(
        "Other texts are refused in words",
        arguments: [
            ("", "units: invalid "), ("100", "units: unknown unit  in 100"),
            ("1XB", "units: unknown unit XB in 1XB"), ("MB", "units: invalid MB"),
            ("99EB", "units: invalid 99EB"), ("1GiB1MB", "units: unknown unit GiB in 1GiB1MB"),
        ])
    func refusals(text: String, message: String) {
        guard case .failure(let error) = ByteSize.parse(text) else {
            Issue.record("was read")
            return
        }
        #expect(error.description == message)
    }
}

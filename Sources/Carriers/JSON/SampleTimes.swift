// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// The times of a column of samples as they stand in an answer: `,[seconds,"`. Neighbouring series
/// mostly have the same times, whose texts are then written once.
package struct SampleTimes: Sendable {
    private var times: [Int64] = []
    private(set) var cells = TextCells()

    package init() {}

    /// Takes the times of the next column, in milliseconds.
    package mutating func take(_ milliseconds: [Int64]) {
        if times == milliseconds { return }
        times = milliseconds
        cells.removeAll()
        for time in milliseconds {
            cells.append { room in
                room.byte(UInt8(ascii: ","))
                room.byte(UInt8(ascii: "["))
                room.seconds(time)
                room.byte(UInt8(ascii: ","))
                room.byte(UInt8(ascii: "\""))
            }
        }
    }
}

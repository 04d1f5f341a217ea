// SPDX-License-Identifier: Apache-2.0

import Storage
import Testing

@Suite struct SampleBatchTests {
    @Test("A batch with one timestamp carries none per sample")
    func shared() {
        var batch = SampleBatch(sharedTimestamp: 7)
        batch.append(SeriesRef(slot: 1, generation: 0), 1.5)
        batch.append(SeriesRef(slot: 2, generation: 0), 2.5)
        #expect(batch.count == 2)
        #expect(batch.timestamps.isEmpty)
        batch.removeAll()
        #expect(batch.count == 0)
        #expect(batch.sharedTimestamp == 7)
    }

    @Test("A batch with timestamps of its own carries one per sample")
    func own() {
        var batch = SampleBatch(sharedTimestamp: 0)
        batch.append(SeriesRef(slot: 1, generation: 0), 1, at: 10)
        batch.append(SeriesRef(slot: 1, generation: 0), 2, at: 20)
        #expect(batch.timestamps == [10, 20])
        #expect(batch.refs.count == batch.values.count)
    }

    @Test("Columns know when they are empty")
    func columns() {
        var columns = SampleColumns()
        #expect(columns.isEmpty)
        columns.timestamps = [1]
        columns.values = [2]
        #expect(!columns.isEmpty)
        columns.removeAll()
        #expect(columns.isEmpty)
    }
}

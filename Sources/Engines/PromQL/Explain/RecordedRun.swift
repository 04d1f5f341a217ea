// SPDX-License-Identifier: Apache-2.0

extension MeteredOperator {
    /// Runs with an eye on clock and scales: what the consumer of the rows does is not this node's.
    func run(_ recorder: NodeRecorder, _ consume: RowConsumer) throws(QueryError) {
        let begin = recorder.mark()
        var time: UInt64 = 0
        var bytes = 0
        try input.run { (index, row) throws(QueryError) in
            try note(row)
            recorder.weigh(since: begin, elsewhere: bytes, for: number)
            let before = recorder.mark()
            try consume(index, &row)
            let after = recorder.mark()
            time += after.time - before.time
            bytes += after.bytes - before.bytes
        }
        recorder.add(since: begin, elsewhere: (time, bytes), to: number)
    }
}

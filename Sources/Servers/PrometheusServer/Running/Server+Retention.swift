// SPDX-License-Identifier: Apache-2.0

internal import Instrumentation
internal import Model
internal import Platform
internal import Settings
internal import TSDB

extension Server {
    static func settings(_ storage: StorageConfiguration) -> RetentionSettings {
        let retention = storage.retention
        var settings = RetentionSettings()
        settings.time = retention.time
        settings.bytes = retention.size
        settings.percentage = retention.percentage
        settings.series = storage.seriesRetention.map(\.retention)
        return settings
    }

    func logRetention(_ retention: Retention) {
        log.info(
            "TSDB retention updated",
            [
                "duration": DurationText.format(retention.time),
                "size": ByteSize.format(retention.size), "percentage": "\(retention.percentage)",
            ])
    }

    /// Why the server cannot keep to what is asked; nil where it can.
    static func refusal(_ retention: Retention, storedAt path: String, _ log: Logger) -> String? {
        guard retention.percentage > 0 else { return nil }
        if retention.size > 0 {
            log.warn(
                "storage.tsdb.retention.size is ignored, because storage.tsdb.retention.percentage "
                    + "is specified")
        }
        // The folder may be made later: until then its nearest parent is on the same disk.
        var place = Environment.absolute(path)
        var size = try? DiskStatistics(at: place).total
        while size == nil, place != "/", (try? LocalFileSystem().status(of: place)) == .some(nil),
            let slash = place.lastIndex(of: "/")
        {
            place = slash == place.startIndex ? "/" : String(place[..<slash])
            size = try? DiskStatistics(at: place).total
        }
        if let size, size > 0 { return nil }
        return "unable to detect total capacity of metric storage at \(path), please disable "
            + "retention percentage (\(retention.shownPercentage))"
    }
}

// SPDX-License-Identifier: Apache-2.0

internal import Model

/// What is recorded about each scrape itself.
struct ScrapeReport: Sendable {
    var isUp = false
    /// In seconds, from the request to the end of all work.
    var duration = 0.0
    var scraped = 0
    var kept = 0
    var added = 0
    /// Of the body, unpacked; -1 where it was over the limit.
    var bytes = 0
}

/// The series in which reports are stored.
enum ReportSeries {
    static let names = [
        "up", "scrape_duration_seconds", "scrape_samples_scraped",
        "scrape_samples_post_metric_relabeling", "scrape_series_added",
    ]
    static let extraNames = [
        "scrape_timeout_seconds", "scrape_sample_limit", "scrape_body_size_bytes",
    ]

    static func count(hasExtra: Bool) -> Int {
        hasExtra ? names.count + extraNames.count : names.count
    }

    /// The label sets, in the order of `values`.
    static func labels(of target: Labels, hasExtra: Bool) -> [Labels] {
        (hasExtra ? names + extraNames : names).map { name in
            var builder = LabelsBuilder()
            builder.set(LabelName.metric, name)
            for label in target {
                let exposed = label.name == LabelName.metric ? name : ""
                builder.set("exported_" + label.name, exposed)
                builder.set(label.name, label.value)
            }
            return builder.labels()
        }
    }

    static func values(_ report: ScrapeReport, _ job: ScrapeConfiguration, timeout: Milliseconds)
        -> [Double]
    {
        let values = [
            report.isUp ? 1 : 0, report.duration, Double(report.scraped), Double(report.kept),
            Double(report.added),
        ]
        guard job.histograms.hasExtraMetrics else { return values }
        return values + [
            Double(timeout) / 1000, Double(job.limits.samples), Double(report.bytes),
        ]
    }
}

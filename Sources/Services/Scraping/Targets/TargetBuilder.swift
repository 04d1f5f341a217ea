// SPDX-License-Identifier: Apache-2.0

package import Discovery
package import Model
internal import Relabeling

/// Why no target could be made of what was discovered.
package struct TargetError: Error, Sendable, Hashable, CustomStringConvertible {
    package var description: String
}

/// What became of a discovered address.
package enum TargetOutcome: Sendable {
    case active(Target)
    /// Relabelling dropped it.
    case dropped(discoveredLabels: Labels)
    case failed(TargetError)
}

/// Labels with a meaning for scraping.
enum TargetLabel {
    static let address = "__address__"
    static let scheme = "__scheme__"
    static let metricsPath = "__metrics_path__"
    static let interval = "__scrape_interval__"
    static let timeout = "__scrape_timeout__"
    static let parameterPrefix = "__param_"
    static let metaPrefix = "__meta_"
    static let unixSocket = "__unix_socket__"
}

extension ScrapeConfiguration {
    /// The targets of a group, in its order.
    package func targets(of group: TargetGroup) -> [TargetOutcome] {
        group.targets.enumerated().map { index, labels in
            let discovered = discoveredLabels(labels, of: group)
            do throws(TargetError) {
                guard let target = try target(discovered) else {
                    return .dropped(discoveredLabels: discovered)
                }
                return .active(target)
            } catch {
                return .failed(
                    TargetError(
                        description: "instance \(index) in group \(group.source): \(error)"))
            }
        }
    }

    /// The labels of a target, else those of its group, else those of the job.
    private func discoveredLabels(_ own: Labels, of group: TargetGroup) -> Labels {
        var builder = LabelsBuilder(group.labels)
        for label in own { builder.set(label.name, label.value) }
        var defaults = [
            (LabelName.job, jobName), (TargetLabel.interval, DurationText.format(timing.interval)),
            (TargetLabel.timeout, DurationText.format(timing.timeout)),
            (TargetLabel.metricsPath, request.metricsPath), (TargetLabel.scheme, request.scheme),
            ("__convert_classic_histograms_to_nhcb__", String(histograms.convertsClassic)),
            ("__always_scrape_classic_histograms__", String(histograms.alwaysScrapesClassic)),
            ("__scrape_native_histograms__", String(histograms.scrapesNative)),
        ]
        for parameter in request.parameters {
            guard let first = parameter.values.first else { continue }
            defaults.append((TargetLabel.parameterPrefix + parameter.name, first))
        }
        for (name, value) in defaults where builder[name] == nil { builder.set(name, value) }
        return builder.labels()
    }

    /// Nil where relabelling drops the target.
    private func target(_ discovered: Labels) throws(TargetError) -> Target? {
        var builder = LabelsBuilder(discovered)
        for rule in relabeling where !rule.apply(to: &builder) { return nil }
        guard let address = builder[TargetLabel.address] else {
            throw TargetError(description: "no address")
        }
        guard !address.utf8.contains(UInt8(ascii: "/")) else {
            throw TargetError(description: "\(quoted(address)) is not a valid hostname")
        }
        let interval = try duration(builder[TargetLabel.interval], "scrape interval")
        let timeout = try duration(builder[TargetLabel.timeout], "scrape timeout")
        guard timeout.value <= interval.value else {
            throw TargetError(
                description: "scrape timeout cannot be greater than scrape interval "
                    + "(\(quoted(timeout.text)) > \(quoted(interval.text)))")
        }
        try checkSwitches(builder)
        for label in builder.all where label.name.hasPrefix(TargetLabel.metaPrefix) {
            builder.remove(label.name)
        }
        if builder[LabelName.instance] == nil { builder.set(LabelName.instance, address) }
        guard builder[TargetLabel.unixSocket] == nil else {
            throw TargetError(description: "scraping over a Unix socket is not supported yet")
        }
        let scheme = builder[TargetLabel.scheme] ?? ""
        guard scheme == "http" else {
            let reason =
                scheme == "https"
                ? "scraping by https is not supported yet"
                : "unsupported protocol scheme \(quoted(scheme))"
            throw TargetError(description: reason)
        }
        let labels = builder.labels()
        return Target(
            labels: labels, discovered: discovered, url: url(labels), interval: interval.value,
            timeout: timeout.value)
    }

    private func duration(
        _ text: String?, _ what: String
    ) throws(TargetError) -> (value: Milliseconds, text: String) {
        guard let text else {
            throw TargetError(description: "error parsing \(what): empty duration string")
        }
        guard let value = DurationText.parse(text) else {
            throw TargetError(
                description: "error parsing \(what): not a valid duration string: \(quoted(text))"
            )
        }
        guard value != 0 else { throw TargetError(description: "\(what) cannot be 0") }
        return (value, text)
    }

    /// Labels that switch the treatment of histograms must be truth values, in Go's sense.
    private func checkSwitches(_ labels: LabelsBuilder) throws(TargetError) {
        let truths = [
            "1", "t", "T", "true", "TRUE", "True", "0", "f", "F", "false", "FALSE", "False",
        ]
        for (name, what) in [
            ("__convert_classic_histograms_to_nhcb__", "convert classic histograms to nhcb"),
            ("__always_scrape_classic_histograms__", "always scrape classic histograms"),
            ("__scrape_native_histograms__", "scrape native histograms"),
        ] {
            guard let value = labels[name], !truths.contains(value) else { continue }
            throw TargetError(
                description: "error parsing \(what): strconv.ParseBool: parsing \(quoted(value)): "
                    + "invalid syntax")
        }
    }

    private func url(_ labels: Labels) -> String {
        var parameters: [(name: String, values: [String])] = request.parameters.map {
            ($0.name, $0.values)
        }
        for label in labels where label.name.hasPrefix(TargetLabel.parameterPrefix) {
            let name = String(label.name.dropFirst(TargetLabel.parameterPrefix.count))
            if let index = parameters.firstIndex(where: { $0.name == name }) {
                parameters[index].values =
                    [label.value] + parameters[index].values.dropFirst()
            } else {
                parameters.append((name, [label.value]))
            }
        }
        return targetURL(
            scheme: labels[TargetLabel.scheme] ?? "", host: labels[TargetLabel.address] ?? "",
            path: labels[TargetLabel.metricsPath] ?? "", parameters: parameters)
    }
}

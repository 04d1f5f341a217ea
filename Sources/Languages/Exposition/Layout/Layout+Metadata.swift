// SPDX-License-Identifier: Apache-2.0

internal import Bytes
package import Model

extension Layout {
    /// What the exposition says about each of its samples; nil where the lines before it are of
    /// another family. `ordinals` ascending.
    ///
    /// A sample belongs to the family that was spoken of last, if its name fits to the family's.
    package func metadata(
        ofSamples ordinals: [Int]
    ) -> [Metadata?] {
        let families = Dictionary(metadata(), uniquingKeysWith: { first, _ in first })
        let names = labels(ofSamples: ordinals, options: ExpositionOptions()).map(\.metricName)
        var result: [Metadata?] = []
        result.reserveCapacity(ordinals.count)
        var wanted = zip(ordinals, names).makeIterator()
        var next = wanted.next()
        var family: (name: String, metadata: Metadata)?
        for line in lines {
            guard let (ordinal, name) = next else { break }
            guard line.isSample else {
                if let name = familyName(line) { family = families[name].map { (name, $0) } }
                continue
            }
            guard Int(line.ordinal) == ordinal else { continue }
            next = wanted.next()
            guard let name, let family, family.metadata.covers(name, of: family.name) else {
                result.append(nil)
                continue
            }
            result.append(family.metadata)
        }
        return result
    }

    /// The family that a line of metadata is about.
    private func familyName(_ line: LayoutLine) -> String? {
        var text = Array(arena[line.range])
        if dialect == .openMetrics { text += Array("# EOF\n".utf8) }
        var reader = ExpositionReader(text.raw, dialect: dialect, options: ExpositionOptions())
        // Every line of a layout was read once; it reads again.
        guard let entry = try? reader.next(), entry == .help || entry == .type || entry == .unit
        else { return nil }
        return reader.familyName
    }

    /// What the exposition says about its metric families, in its order. Read anew at each call:
    /// nothing of it is kept but the lines.
    package func metadata() -> [(family: String, metadata: Metadata)] {
        var text: [UInt8] = []
        for line in lines where !line.isSample { text += arena[line.range] }
        if dialect == .openMetrics { text += Array("# EOF\n".utf8) }
        var families: [(family: String, metadata: Metadata)] = []
        var places: [String: Int] = [:]
        var reader = ExpositionReader(text.raw, dialect: dialect, options: ExpositionOptions())
        do throws(ExpositionError) {
            while let entry = try reader.next() {
                let name = reader.familyName
                let place = places[name] ?? families.count
                if place == families.count {
                    families.append((name, Metadata()))
                    places[name] = place
                }
                switch entry {
                case .help: families[place].metadata.help = reader.help
                case .type: families[place].metadata.type = reader.family.type
                case .unit: families[place].metadata.unit = reader.family.unit
                case .comment, .series: break
                }
            }
        } catch {
            // The lines were read once; what cannot be read in this order ends the list.
            return families
        }
        return families
    }
}

extension Metadata {
    /// Whether a series of this name can be one of a family, whose type is known.
    fileprivate func covers(_ name: String, of family: String) -> Bool {
        let suffixes: [String] =
            switch type {
            case .counter: ["_total"]
            case .histogram: ["_bucket", "_sum", "_count"]
            case .gaugehistogram: ["_bucket", "_gsum", "_gcount"]
            case .summary: ["_sum", "_count"]
            case .info: ["_info"]
            case .unknown, .gauge, .stateset: []
            }
        guard name.hasPrefix(family) else { return false }
        let stem = suffixes.first { name.hasSuffix($0) }.map { String(name.dropLast($0.count)) }
        // Families of counters and of infos may have the suffix in their own name.
        let isNamedInFull = type == .counter || type == .info
        let own = isNamedInFull ? suffixes.first { family.hasSuffix($0) } : nil
        let wanted = own.map { String(family.dropLast($0.count)) } ?? family
        return (stem ?? name) == wanted
    }
}

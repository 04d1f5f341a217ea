// SPDX-License-Identifier: Apache-2.0

internal import Bytes
package import Model

extension Layout {
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

// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Model
internal import Platform
internal import Storage

extension IndexReader {
    /// Puts series into groups by the symbols of their labels.
    func groups(_ refs: [UInt32], _ cut: LabelCut) throws(StorageError) -> SeriesGroups {
        let file = file
        let bytes = file.bytes
        let names = cut.names.compactMap { symbols.symbol(Array($0.utf8).raw, in: bytes) }
        var groups = SeriesGroups(expecting: refs.count)
        var table = RunTable()
        var kept: [UInt32] = []
        for series in refs {
            kept.removeAll(keepingCapacity: true)
            try forEachSymbolPair(of: series) { name, value in
                if names.contains(name) == cut.keepsNamed {
                    kept.append(name)
                    kept.append(value)
                }
                return true
            }
            let (group, isNew) = table.insert(kept)
            if isNew {
                groups.append(newGroup: try labels(of: kept, series, bytes))
            } else {
                groups.append(toGroup: group)
            }
        }
        return groups
    }

    /// The labels that pairs of symbols stand for.
    private func labels(
        of pairs: [UInt32], _ series: UInt32, _ bytes: RawSpan
    ) throws(StorageError) -> Labels {
        var packed: [UInt8] = []
        for symbol in pairs {
            guard let text = symbols.range(of: symbol, in: bytes), text.count < 1 << 24 else {
                throw damaged(file, "labels of a series", at: Int(series))
            }
            Labels.appendField(bytes.extracting(text), to: &packed)
        }
        return Labels(packed: packed)
    }
}

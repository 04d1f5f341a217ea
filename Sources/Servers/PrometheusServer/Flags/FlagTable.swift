// SPDX-License-Identifier: Apache-2.0

/// All flags of upstream's server, in its order and with its defaults, hidden ones too: tools read
/// the list from `status/flags`.
enum FlagTable {
    static let all: [Flag] = web + storage + query
    static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })
}

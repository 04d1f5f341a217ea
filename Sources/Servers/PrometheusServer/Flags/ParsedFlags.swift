// SPDX-License-Identifier: Apache-2.0

internal import YAML

/// What stood on the command line, or why it is refused.
struct ParsedFlags: Sendable {
    enum Failure: Error, Hashable {
        /// The line makes no sense: upstream prints the sentence twice and exits with 1.
        case usage(String)
        /// A value is not allowed: upstream prints the sentence and the help and exits with 2.
        case value(String)
    }

    enum Request: Hashable {
        case run, help, version
    }

    private(set) var request = Request.run
    private var values: [String: [String]] = [:]

    init(_ arguments: [String]) throws(Failure) {
        var rest = ArraySlice(arguments)
        while let argument = rest.popFirst() {
            if argument == "-h" {
                request = .help
            } else if argument.hasPrefix("--"), argument != "--" {
                try take(argument.dropFirst(2), &rest)
            } else if argument.hasPrefix("-"), argument != "-" {
                throw .usage("unknown short flag '\(argument.prefix(2))'")
            } else {
                throw .usage("unexpected \(argument)")
            }
        }
        guard request == .run else { return }
        for name in values.keys.sorted() { try check(name) }
    }

    private mutating func take(
        _ text: Substring, _ rest: inout ArraySlice<String>
    ) throws(Failure) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let name = String(parts[0])
        if name == "help" || name == "help-long" || name == "version" {
            request = name == "version" ? .version : .help
            return
        }
        if let flag = FlagTable.byName[name] {
            if case .toggle = flag.kind {
                guard parts.count == 1 else { throw .usage("unexpected \(parts[1])") }
                values[name, default: []].append("true")
            } else if parts.count == 2 {
                values[name, default: []].append(String(parts[1]))
            } else if let value = rest.first, !value.hasPrefix("-") || value == "-" {
                rest.removeFirst()
                values[name, default: []].append(value)
            } else {
                throw .usage("expected argument for flag '--\(name)'")
            }
            return
        }
        let positive = name.hasPrefix("no-") ? String(name.dropFirst(3)) : ""
        if let flag = FlagTable.byName[positive], case .toggle = flag.kind {
            guard parts.count == 1 else { throw .usage("unexpected \(parts[1])") }
            values[positive, default: []].append("false")
            return
        }
        let nearest = nearestName(to: name, among: FlagTable.byName.keys.sorted())
        let hint = nearest.map { ", did you mean '--\($0)'?" } ?? ""
        throw .usage("unknown long flag '--\(name)'\(hint)")
    }

    private func check(_ name: String) throws(Failure) {
        guard let flag = FlagTable.byName[name], let given = values[name] else { return }
        if case .list = flag.kind {
        } else if given.count > 1 {
            throw .value("flag '\(name)' cannot be repeated")
        }
        for value in given {
            if let problem = flag.problem(with: value) { throw .value(problem) }
        }
        if flag.standing == .absent, given != flag.defaults {
            throw .value("flag '--\(name)' is not supported yet by this version of Narthex")
        }
    }

    /// Whether the flag stood on the command line.
    func isGiven(_ name: String) -> Bool { values[name] != nil }

    /// The flags that were given and belong to a mode.
    func given(in mode: Flag.Mode) -> [String] {
        FlagTable.all.filter { $0.mode == mode && values[$0.name] != nil }.map { "--" + $0.name }
    }

    /// The flags that were given another value than their default and change nothing yet.
    var ineffective: [String] {
        FlagTable.all.filter { flag in
            guard flag.standing == .ineffective, let given = values[flag.name] else { return false }
            return given != flag.defaults
        }.map { "--" + $0.name }
    }

    /// All values of a flag, its defaults where it was not given.
    func all(_ name: String) -> [String] { values[name] ?? FlagTable.byName[name]?.defaults ?? [] }

    /// The value of a flag, empty where it has none.
    func text(_ name: String) -> String { all(name).first ?? "" }

    func isOn(_ name: String) -> Bool { text(name) == "true" }

    /// Every flag with its value, as `status/flags` shows them.
    var shown: [(name: String, value: String)] {
        FlagTable.all.map { flag in
            let canonical = all(flag.name).map(flag.canonical)
            if canonical.isEmpty {
                switch flag.kind {
                case .duration: return (flag.name, "0s")
                case .bytes: return (flag.name, "0B")
                default: return (flag.name, "")
                }
            }
            return (flag.name, canonical.joined(separator: ","))
        }.sorted { $0.0 < $1.0 }
    }
}

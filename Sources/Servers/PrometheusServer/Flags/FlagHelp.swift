// SPDX-License-Identifier: Apache-2.0

/// The help text, in the layout of upstream's: flags to the left, sentences from column 33 to 80.
enum FlagHelp {
    private static let column = 33
    private static let width = 80

    static func text(program: String) -> String {
        var text = "usage: \(program) [<flags>]\n\nThe Narthex monitoring server\n\n\nFlags:\n"
        text += entry(
            "  -h, --[no-]help",
            "Show context-sensitive help (also try --help-long and --help-man).")
        text += entry("      --[no-]version", "Show application version.")
        for flag in FlagTable.all where !flag.isHidden {
            let suffix: String =
                switch flag.mode {
                case .any: ""
                case .server: " Use with server mode only."
                case .agent: " Use with agent mode only."
                }
            let absent = flag.standing == .absent ? " Not supported yet." : ""
            text += entry("      --" + label(flag), flag.help + absent + suffix)
        }
        return text
    }

    private static func label(_ flag: Flag) -> String {
        if case .toggle = flag.kind { return "[no-]\(flag.name)" }
        if let placeholder = flag.placeholder { return "\(flag.name)=\(placeholder)" }
        guard let first = flag.defaults.first else {
            return "\(flag.name)=\(flag.name.uppercased())"
        }
        let more = flag.defaults.count > 1 ? "..." : ""
        switch flag.kind {
        case .text: return "\(flag.name)=\"\(first)\""
        case .list: return "\(flag.name)=\(first)\(more) ..."
        default: return "\(flag.name)=\(first)"
        }
    }

    private static func entry(_ left: String, _ help: String) -> String {
        var lines: [String] = []
        var line = ""
        for word in help.split(separator: " ") {
            if !line.isEmpty, line.count + 1 + word.count > width - column {
                lines.append(line)
                line = ""
            }
            line += line.isEmpty ? String(word) : " \(word)"
        }
        lines.append(line)
        let margin = String(repeating: " ", count: column)
        let isLong = left.count + 2 > column
        let padding = String(repeating: " ", count: max(2, column - left.count))
        let first = isLong ? "\(left)  \n\(margin)" : left + padding
        return first + lines.joined(separator: "\n" + margin) + "\n"
    }
}

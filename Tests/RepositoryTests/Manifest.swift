// SPDX-License-Identifier: Apache-2.0

/// The table of layers in `Package.swift`, read as text.
struct Manifest {
    struct Module {
        var layer: String
        var name: String
        var uses: Set<String>
        var folder: String { "Sources/\(layer)/\(name)" }
    }

    let modules: [Module]

    init() {
        let text = Repository.text("Package.swift")
        let start = text.firstRange(of: "let architecture:")?.upperBound ?? text.startIndex
        let end = text[start...].firstRange(of: "\n]\n")?.lowerBound ?? text.endIndex
        var modules: [Module] = []
        var layer = ""
        let item = #/^(?<indent> +)"(?<name>\w+)": \[(?<rest>.*)$/#
        var open: (name: String, text: String)?
        func close() {
            guard let (name, text) = open else { return }
            let uses = text.matches(of: #/"(\w+)"/#).map { String($0.output.1) }
            modules.append(Module(layer: layer, name: name, uses: Set(uses)))
            open = nil
        }
        for line in text[start..<end].split(separator: "\n") {
            if let match = line.wholeMatch(of: item) {
                close()
                if match.output.indent.count == 4 {
                    layer = String(match.output.name)
                } else {
                    open = (String(match.output.name), String(match.output.rest))
                    // Several modules may share a line.
                    while let text = open?.text, let next = text.firstMatch(of: #/\], "(\w+)": \[/#)
                    {
                        open?.text = String(text[..<next.range.lowerBound])
                        close()
                        open = (String(next.output.1), String(text[next.range.upperBound...]))
                    }
                }
            } else {
                open?.text += String(line)
            }
        }
        close()
        self.modules = modules
    }
}

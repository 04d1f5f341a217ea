// SPDX-License-Identifier: Apache-2.0

import Testing

/// Where memory is handled without the compiler's checks.
@Suite struct UnsafeTests {
    private func isUnsafe(_ file: String) -> Bool {
        Repository.code(file).contains {
            $0.contains("@unchecked") || $0.firstMatch(of: #/(?:^|[^\w.])unsafe\s/#) != nil
        }
    }

    @Test("Unsafe code stands in Ground and in the files that are listed, and nowhere else")
    func list() {
        let above = Repository.sources.filter { !$0.hasPrefix("Sources/Ground/") }
        let found = Set(above.filter(isUnsafe))
        for file in found.subtracting(Allowances.unsafeFiles).sorted() {
            Issue.record("\(file) has unsafe code")
        }
        for file in Allowances.unsafeFiles.subtracting(found).sorted() {
            Issue.record("\(file) has no unsafe code any more: take it off the list")
        }
    }

    @Test("Unchecked sendability is argued for")
    func arguments() {
        for file in Repository.sources {
            let text = Repository.text(file)
            guard Repository.code(file).contains(where: { $0.contains("@unchecked Sendable") })
            else {
                continue
            }
            #expect(text.contains("// SAFETY:"), "\(file)")
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

import ScrapeClient
import Testing

@Suite struct CapturedResponseTests {
    private static let answers = [
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nab\ncd",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 200 OK\nContent-Type: text/plain\n\nab\ncd",
        "HTTP/1.1 200 OK\r\nContent-Type:text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
            + "3;x\r\nab\n\r\n2\r\ncd\r\n0\r\nA: b\r\n\r\n",
    ]

    /// However the network cuts an answer, it is the same answer.
    @Test(arguments: answers) func cutsMakeNoDifference(_ answer: String) {
        let bytes = Array(answer.utf8)
        for first in 0...bytes.count {
            for second in stride(from: first, through: bytes.count, by: 3) {
                let pieces = [
                    Array(bytes[..<first]), Array(bytes[first..<second]), Array(bytes[second...]),
                ]
                let response = CapturedResponse(pieces, bodyLimit: 100)
                guard response?.body == Array("ab\ncd".utf8), response?.status == "200 OK",
                    response?.contentType == "text/plain"
                else {
                    Issue.record("cut at \(first) and \(second): \(String(describing: response))")
                    return
                }
            }
        }
        let single = CapturedResponse(bytes.map { [$0] }, bodyLimit: 100)
        #expect(single?.body == Array("ab\ncd".utf8))
    }

    @Test(arguments: answers) func damagedAnswersNeverTrap(_ answer: String) {
        let bytes = Array(answer.utf8)
        for index in bytes.indices {
            for bit in 0..<8 {
                var damaged = bytes
                damaged[index] ^= 1 << bit
                let whole = CapturedResponse([damaged], bodyLimit: 100)
                let cut = CapturedResponse(
                    [Array(damaged[..<index]), Array(damaged[index...])], bodyLimit: 100)
                #expect(whole == cut)
            }
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

import Platform
import Testing

@Suite struct SocketTests {
    @Test(arguments: [
        ("127.0.0.1", "127.0.0.1:80"), ("::1", "[::1]:80"), ("2001:db8::5", "[2001:db8::5]:80"),
    ])
    func numericAddressesAreReadAndPrinted(_ text: String, _ printed: String) throws {
        let address = try #require(SocketAddress(numeric: text, port: 80))
        #expect(address.description == printed)
        #expect(try resolve(host: text, port: 80) == [address])
    }

    @Test func namesAreNoNumericAddresses() {
        #expect(SocketAddress(numeric: "localhost", port: 80) == nil)
        #expect(SocketAddress(numeric: "1.2.3", port: 80) == nil)
    }

    @Test func localhostResolvesAndInvalidNamesDoNot() throws {
        #expect(try !resolve(host: "localhost", port: 1).isEmpty)
        #expect(throws: ResolveError.self) { try resolve(host: "no-such-host.invalid", port: 1) }
    }

    @Test func aWakeUpEndsTheWait() throws {
        let queue = try EventQueue()
        let thread = try SystemThread("waker") { queue.wake() }
        var events: [EventQueue.Event] = []
        queue.wait(milliseconds: -1, into: &events)
        #expect(events.isEmpty)
        thread.join()
    }

    @Test func aRefusedConnectionSaysSo() throws {
        let address = try #require(SocketAddress(numeric: "127.0.0.1", port: 1))
        let queue = try EventQueue()
        let socket = try StreamSocket.connecting(to: address)
        #expect(queue.add(socket.descriptor, .writable, token: 5) == 0)
        var events: [EventQueue.Event] = []
        queue.wait(milliseconds: 5000, into: &events)
        #expect(events.map(\.token) == [5])
        #expect(systemErrorText(socket.connectError) == "connection refused")
        socket.close()
    }
}

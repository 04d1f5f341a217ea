// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import Platform

/// Room for a response, filled from the front. The array is as long as the room; its bytes behind
/// `filled` mean nothing. The only place of this module where bytes move by address.
struct ResponseBuffer {
    /// What a fresh buffer holds: a usual exposition, and few pages.
    static let usualRoom = 128 << 10

    private(set) var bytes: [UInt8]
    private(set) var filled = 0

    init(room: Int) { bytes = [UInt8](repeating: 0, count: room) }

    var room: Int { bytes.count }

    mutating func clear() { filled = 0 }

    /// Makes the room at least `wanted`.
    mutating func makeRoom(_ wanted: Int) {
        if wanted > bytes.count {
            bytes.append(contentsOf: repeatElement(0, count: wanted - bytes.count))
        }
    }

    /// Receives into the free room, of which there is some.
    mutating func receive(from socket: StreamSocket) -> StreamSocket.Progress {
        let start = filled
        let progress = unsafe bytes.withUnsafeMutableBytes { all in
            unsafe socket.receive(into: UnsafeMutableRawBufferPointer(rebasing: all[start...]))
        }
        if case .moved(let count) = progress { filled += count }
        return progress
    }

    /// Takes bytes that came by another way than a socket.
    mutating func append(_ more: [UInt8]) {
        makeRoom(filled + more.count)
        bytes.replaceSubrange(filled..<(filled + more.count), with: more)
        filled += more.count
    }

    /// Moves a range of the filled part towards the front.
    mutating func move(_ range: Range<Int>, to destination: Int) {
        precondition(
            destination >= 0 && destination <= range.lowerBound && range.upperBound <= filled,
            "bytes move inside the filled part")
        if range.isEmpty || destination == range.lowerBound { return }
        unsafe bytes.withUnsafeMutableBytes { all in
            let base = all.baseAddress!
            unsafe _ = memmove(base + destination, base + range.lowerBound, range.count)
        }
    }

    /// Forgets what is behind `count`.
    mutating func truncate(to count: Int) {
        precondition(count >= 0 && count <= filled, "a buffer is cut inside its filled part")
        filled = count
    }
}

/// Buffers between two loans. Keeps a few of usual size; a buffer that has grown large is given
/// back to the system.
struct BufferPool {
    private static let kept = 16
    private static let largestKept = 1 << 20
    private var free: [ResponseBuffer] = []

    mutating func take() -> ResponseBuffer {
        free.popLast() ?? ResponseBuffer(room: ResponseBuffer.usualRoom)
    }

    mutating func giveBack(_ buffer: consuming ResponseBuffer) {
        guard free.count < Self.kept, buffer.room <= Self.largestKept else { return }
        buffer.clear()
        free.append(buffer)
    }
}

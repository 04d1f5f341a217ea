// SPDX-License-Identifier: Apache-2.0

internal import CPlatform

/// CRC-32C (Castagnoli), the checksum of every Prometheus file format.
package func crc32c(_ bytes: RawSpan, continuing crc: UInt32 = 0) -> UInt32 {
    unsafe bytes.withUnsafeBytes { bytes in
        unsafe narthex_crc32c(crc, bytes.baseAddress, bytes.count)
    }
}

package func crc32c(_ bytes: [UInt8], continuing crc: UInt32 = 0) -> UInt32 {
    crc32c(bytes.raw, continuing: crc)
}

/// xxHash64 with seed 0, as upstream hashes label sets.
/// Source: https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md
package func xxHash64(_ bytes: RawSpan) -> UInt64 {
    let prime1: UInt64 = 0x9E37_79B1_85EB_CA87
    let prime2: UInt64 = 0xC2B2_AE3D_27D4_EB4F
    let prime3: UInt64 = 0x1656_67B1_9E37_79F9
    let prime4: UInt64 = 0x85EB_CA77_C2B2_AE63
    let prime5: UInt64 = 0x27D4_EB2F_1656_67C5

    func rotated(_ value: UInt64, _ by: UInt64) -> UInt64 {
        (value &<< by) | (value &>> (64 &- by))
    }
    func round(_ lane: UInt64, _ input: UInt64) -> UInt64 {
        rotated(lane &+ input &* prime2, 31) &* prime1
    }
    func merged(_ hash: UInt64, _ lane: UInt64) -> UInt64 {
        (hash ^ round(0, lane)) &* prime1 &+ prime4
    }
    func word(_ at: Int) -> UInt64 {
        unsafe UInt64(
            littleEndian: bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: at, as: UInt64.self))
    }

    let count = bytes.byteCount
    var at = 0
    var hash: UInt64
    if count >= 32 {
        var lane1 = prime1 &+ prime2
        var lane2 = prime2
        var lane3: UInt64 = 0
        var lane4 = 0 &- prime1
        while count - at >= 32 {
            lane1 = round(lane1, word(at))
            lane2 = round(lane2, word(at + 8))
            lane3 = round(lane3, word(at + 16))
            lane4 = round(lane4, word(at + 24))
            at += 32
        }
        hash = rotated(lane1, 1) &+ rotated(lane2, 7) &+ rotated(lane3, 12) &+ rotated(lane4, 18)
        hash = merged(merged(merged(merged(hash, lane1), lane2), lane3), lane4)
    } else {
        hash = prime5
    }
    hash &+= UInt64(count)
    while count - at >= 8 {
        hash = rotated(hash ^ round(0, word(at)), 27) &* prime1 &+ prime4
        at += 8
    }
    if count - at >= 4 {
        let half = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: at, as: UInt32.self)
        hash =
            rotated(hash ^ (UInt64(UInt32(littleEndian: half)) &* prime1), 23) &* prime2 &+ prime3
        at += 4
    }
    while at < count {
        let byte = unsafe bytes.unsafeLoad(fromUncheckedByteOffset: at, as: UInt8.self)
        hash = rotated(hash ^ (UInt64(byte) &* prime5), 11) &* prime1
        at += 1
    }
    hash = (hash ^ (hash >> 33)) &* prime2
    hash = (hash ^ (hash >> 29)) &* prime3
    return hash ^ (hash >> 32)
}

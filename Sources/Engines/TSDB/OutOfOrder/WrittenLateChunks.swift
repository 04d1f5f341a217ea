// SPDX-License-Identifier: Apache-2.0
//
// Up to which place head chunk files hold late samples that are in blocks. The files stay as long
// as they hold other chunks, and a start would take the late ones for news: show again what was
// deleted from the blocks, and write all of it once more.
//
// A chunk that is written later has a later place; where files were lost, so that places could be
// given again, the start moves the place back first, once the files cannot come back.

internal import Platform

enum WrittenLateChunks {
    /// The place that was noted last; `none` where there is none that can be read.
    static func read(
        _ directory: String, _ fileSystem: any FileSystem
    ) throws(FileError) -> HeadChunkFiles.Place {
        guard let number = try HeadNote.lateChunks.read(directory, fileSystem) else { return .none }
        return HeadChunkFiles.Place(
            file: UInt32(truncatingIfNeeded: number),
            offset: UInt32(truncatingIfNeeded: number >> 32))
    }

    /// Notes a place, on the device when it returns.
    static func write(
        _ place: HeadChunkFiles.Place, _ directory: String, _ fileSystem: any FileSystem
    ) throws(FileError) {
        let number = UInt64(place.offset) << 32 | UInt64(place.file)
        try HeadNote.lateChunks.write(number, directory, fileSystem)
    }
}

// GDCM's decoders behind one C function. Without the package trait DICOM it is declared, but neither compiled nor
// called.
#ifndef LUNA_CGDCM_H
#define LUNA_CGDCM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// What must be known of a grayscale frame in order to decode it.
struct luna_gdcm_frame {
    /// The transfer syntax' UID.
    const char *syntax;
    /// Voxels per row and rows: those of the compressed frame's own header.
    uint32_t columns, rows;
    /// Bits of one voxel, 9 to 16, and whether the frame holds signed numbers, after the frame's own header as well.
    uint16_t precision;
    int is_signed;
};

/// Decodes a compressed frame into `pixels`, which holds `columns` times `rows` words, in this machine's byte order.
///
/// Returns 0; or another number, and why in `message`, at most `capacity` bytes with the final zero. Throws nothing and
/// keeps nothing.
int luna_gdcm_decode(
    const struct luna_gdcm_frame *frame, const uint8_t *bytes, size_t count, uint16_t *pixels, char *message,
    size_t capacity);

#ifdef __cplusplus
}
#endif

#endif

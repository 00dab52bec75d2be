// GDCM and not DCMTK: DCMTK decodes JPEG and JPEG-LS as well, but its open part has no JPEG 2000, which archives of CT
// use much; GDCM has it through OpenJPEG.
//
// GDCM's decoders alone are used, not its file reader: that allocates what a length field claims, and the library as
// distributions build it ends the process where an assertion of its fails. Whatever the decoders take for granted
// (the frame's size, one component, the number of segments) has been checked before (Sources/DICOM/Codestream.swift).

#ifdef LUNA_DICOM

#include "CGDCM.h"

#include <gdcm-3.0/gdcmDataElement.h>
#include <gdcm-3.0/gdcmFragment.h>
#include <gdcm-3.0/gdcmJPEG2000Codec.h>
#include <gdcm-3.0/gdcmJPEGCodec.h>
#include <gdcm-3.0/gdcmJPEGLSCodec.h>
#include <gdcm-3.0/gdcmRLECodec.h>
#include <gdcm-3.0/gdcmSequenceOfFragments.h>
#include <gdcm-3.0/gdcmTrace.h>
#include <gdcm-3.0/gdcmTransferSyntax.h>

#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>
#include <mutex>

namespace {

std::unique_ptr<gdcm::ImageCodec> codec(const gdcm::TransferSyntax &syntax, size_t length) {
    std::unique_ptr<gdcm::ImageCodec> candidates[] = {
        std::make_unique<gdcm::JPEG2000Codec>(), std::make_unique<gdcm::JPEGCodec>(),
        std::make_unique<gdcm::JPEGLSCodec>()};
    for (auto &candidate : candidates) {
        if (candidate->CanDecode(syntax)) return std::move(candidate);
    }
    auto runs = std::make_unique<gdcm::RLECodec>();
    if (!runs->CanDecode(syntax)) return nullptr;
    runs->SetBufferLength(length);
    return runs;
}

int fail(char *message, size_t capacity, const char *reason) {
    std::snprintf(message, capacity, "%s", reason);
    return 1;
}

int decode(
    const luna_gdcm_frame &frame, const uint8_t *bytes, size_t count, uint16_t *pixels, char *message,
    size_t capacity) {
    // GDCM prints what it notices to the error stream; what matters comes back as a message.
    static std::once_flag silence;
    std::call_once(silence, [] {
        gdcm::Trace::DebugOff();
        gdcm::Trace::WarningOff();
        gdcm::Trace::ErrorOff();
    });

    const gdcm::TransferSyntax syntax(gdcm::TransferSyntax::GetTSType(frame.syntax));
    const size_t length = size_t(frame.columns) * frame.rows * sizeof(uint16_t);
    auto decoder = codec(syntax, length);
    if (!decoder) return fail(message, capacity, "GDCM has no decoder for this transfer syntax");

    const unsigned dimensions[3] = {frame.columns, frame.rows, 1};
    decoder->SetNumberOfDimensions(2);
    decoder->SetDimensions(dimensions);
    // JPEG of up to 12 bits has a decoder of its own, which GDCM chooses by this.
    const bool isShortJPEG = frame.precision <= 12 && gdcm::JPEGCodec().CanDecode(syntax);
    gdcm::PixelFormat format(isShortJPEG ? gdcm::PixelFormat::UINT12 : gdcm::PixelFormat::UINT16);
    format.SetBitsStored(frame.precision);
    format.SetHighBit(uint16_t(frame.precision - 1));
    format.SetPixelRepresentation(uint16_t(frame.is_signed != 0));
    decoder->SetPixelFormat(format);
    decoder->SetPhotometricInterpretation(gdcm::PhotometricInterpretation::MONOCHROME2);
    decoder->SetPlanarConfiguration(0);
    decoder->SetNeedByteSwap(false);
    decoder->SetNeedOverlayCleanup(false);

    gdcm::Fragment fragment;
    fragment.SetByteValue(reinterpret_cast<const char *>(bytes), gdcm::VL(uint32_t(count)));
    gdcm::SmartPointer<gdcm::SequenceOfFragments> fragments = gdcm::SequenceOfFragments::New();
    fragments->AddFragment(fragment);
    gdcm::DataElement compressed(gdcm::Tag(0x7fe0, 0x0010), 0, gdcm::VR::OB), plain(compressed);
    compressed.SetValue(*fragments);

    if (!decoder->Decode(compressed, plain)) return fail(message, capacity, "the compressed frame is damaged");
    const gdcm::ByteValue *value = plain.GetByteValue();
    if (!value || value->GetLength() < length) return fail(message, capacity, "the compressed frame is cut off");
    if (value->GetLength() > length) return fail(message, capacity, "the compressed frame is larger than it says");
    std::memcpy(pixels, value->GetPointer(), length);
    return 0;
}

}  // namespace

extern "C" int luna_gdcm_decode(
    const luna_gdcm_frame *frame, const uint8_t *bytes, size_t count, uint16_t *pixels, char *message,
    size_t capacity) {
    try {
        return decode(*frame, bytes, count, pixels, message, capacity);
    } catch (const std::exception &error) {
        return fail(message, capacity, error.what());
    } catch (...) {
        return fail(message, capacity, "GDCM failed");
    }
}

#endif

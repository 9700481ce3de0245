// SPDX-License-Identifier: Apache-2.0
// Pictures of Apple's systems. These conversions have not been run by the tests of this package, which
// run on Linux.
#if canImport(CoreGraphics)
  public import CoreGraphics

  extension Image {
    /// An image from a picture of Core Graphics, drawn in sRGB; transparency is drawn over black.
    ///
    /// - Parameter picture: A picture of any format and colour space.
    /// - Throws: ``ImageError/badBuffer(reason:)`` if it has no pixels, too many, or cannot be drawn.
    public init(_ picture: CGImage) throws(ImageError) {
      let (width, height) = (picture.width, picture.height)
      try Image.checkSize(width: width, height: height)
      var bytes = [UInt8](repeating: 0, count: 4 * width * height)
      let isDrawn = bytes.withUnsafeMutableBytes { buffer in
        guard let space = CGColorSpace(name: CGColorSpace.sRGB),
          let context = CGContext(
            data: buffer.baseAddress, width: width, height: height, bitsPerComponent: 8,
            bytesPerRow: 4 * width, space: space,
            bitmapInfo: CGImageAlphaInfo.noneSkipLast.rawValue)
        else { return false }
        context.draw(picture, in: CGRect(x: 0, y: 0, width: width, height: height))
        return true
      }
      guard isDrawn else {
        throw .badBuffer(
          reason: "the system cannot draw this picture of \(width)×\(height) pixels; give its bytes"
        )
      }
      try self.init(width: width, height: height, format: .rgba, bytes: bytes)
    }
  }
#endif

#if canImport(CoreVideo)
  public import CoreVideo
  // For the names of matrices, which are texts of Core Foundation.
  import Foundation

  extension Image {
    /// An image from a frame of a camera or a video: BGRA, RGBA, ARGB, RGB, grey, or NV12 with the matrix
    /// that the frame names.
    ///
    /// - Parameter frame: A frame; its bytes are copied.
    /// - Throws: ``ImageError/badBuffer(reason:)`` if its bytes cannot be read or have another format.
    public init(_ frame: CVPixelBuffer) throws(ImageError) {
      guard CVPixelBufferLockBaseAddress(frame, .readOnly) == kCVReturnSuccess else {
        throw .badBuffer(reason: "the frame's bytes cannot be read; give a frame in main memory")
      }
      defer { CVPixelBufferUnlockBaseAddress(frame, .readOnly) }
      let (width, height) = (CVPixelBufferGetWidth(frame), CVPixelBufferGetHeight(frame))
      let type = CVPixelBufferGetPixelFormatType(frame)
      let formats: [OSType: PixelFormat] = [
        kCVPixelFormatType_32BGRA: .bgra, kCVPixelFormatType_32RGBA: .rgba,
        kCVPixelFormatType_32ARGB: .argb, kCVPixelFormatType_24RGB: .rgb,
        kCVPixelFormatType_24BGR: .bgr, kCVPixelFormatType_OneComponent8: .grey,
      ]
      if let format = formats[type] {
        let stride = CVPixelBufferGetBytesPerRow(frame)
        try self.init(
          width: width, height: height, format: format, bytesPerRow: stride,
          bytes: UnsafeRawBufferPointer(
            start: CVPixelBufferGetBaseAddress(frame), count: stride * height))
        return
      }
      let isFullRange = type == kCVPixelFormatType_420YpCbCr8BiPlanarFullRange
      guard isFullRange || type == kCVPixelFormatType_420YpCbCr8BiPlanarVideoRange,
        CVPixelBufferGetPlaneCount(frame) == 2
      else {
        throw .badBuffer(
          reason: "frames of the pixel format \(type) are not read; ask the camera for BGRA or NV12"
        )
      }
      func plane(_ index: Int) -> (bytes: UnsafeRawBufferPointer, stride: Int) {
        let stride = CVPixelBufferGetBytesPerRowOfPlane(frame, index)
        return (
          UnsafeRawBufferPointer(
            start: CVPixelBufferGetBaseAddressOfPlane(frame, index),
            count: stride * CVPixelBufferGetHeightOfPlane(frame, index)), stride
        )
      }
      let (luma, chroma) = (plane(0), plane(1))
      try self.init(
        width: width, height: height, luma: luma.bytes, lumaBytesPerRow: luma.stride,
        chroma: chroma.bytes, chromaBytesPerRow: chroma.stride,
        encoding: LumaChromaEncoding(Self.matrix(of: frame), isFullRange: isFullRange))
    }

    /// How a frame's luma was made; BT.601 where it does not say.
    private static func matrix(of frame: CVPixelBuffer) -> LumaChromaEncoding.Matrix {
      let name =
        CVBufferCopyAttachment(frame, kCVImageBufferYCbCrMatrixKey, nil) as? String ?? ""
      switch name {
      case kCVImageBufferYCbCrMatrix_ITU_R_709_2 as String: return .bt709
      case kCVImageBufferYCbCrMatrix_ITU_R_2020 as String: return .bt2020
      default: return .bt601
      }
    }
  }
#endif

package jobs

import (
	"context"
	"errors"
	"fmt"
	"image"
	_ "image/gif" // decoders of what may be uploaded
	"image/jpeg"
	"image/png"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"golang.org/x/image/draw"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// sizes are the longest sides of the thumbnails, in pixels.
var sizes = [...]int{64, 160, 320}

// MaxPixels is how large a picture may be: a small file can claim to be a picture of any size, and decoding takes four bytes for each pixel.
const MaxPixels = 40_000_000

// makeThumbnails leaves the thumbnails next to the upload and adds a task that publishes each.
func (j *Jobs) makeThumbnails(ctx context.Context, u Upload) error {
	picture, format, err := decode(u.File)
	if err != nil {
		return err
	}
	b := picture.Bounds()
	slog.InfoContext(ctx, "decoded", "format", format, "width", b.Dx(), "height", b.Dy())
	for _, size := range sizes {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx) // stopped or timed out: decoding the rest would be for nobody
		}
		small := shrink(picture, size)
		name := fmt.Sprintf("%d%s", size, extension(format))
		t := Thumbnail{ID: u.ID, File: filepath.Join(filepath.Dir(u.File), name), Name: name}
		if err := writeFile(t.File, func(w io.Writer) error { return encode(w, small, format) }); err != nil {
			return fmt.Errorf("thumbnail of %d pixels: %w", size, err)
		}
		slog.InfoContext(ctx, "thumbnail", "name", name, "width", small.Bounds().Dx(), "height", small.Bounds().Dy())
		if err := taskflow.Add(ctx, j.Publish.With(t), taskflow.Tag("upload", u.ID)).Rejected(); err != nil {
			return fmt.Errorf("publish the thumbnail of %d pixels: %w", size, err)
		}
	}
	return nil
}

// decode reads a picture. What is wrong with the picture itself is a permanent error.
func decode(file string) (_ image.Image, format string, err error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, "", fmt.Errorf("open the upload: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	head, _, err := image.DecodeConfig(f)
	switch {
	case err != nil:
		return nil, "", taskflow.Permanent(fmt.Errorf("not a PNG, JPEG or GIF picture: %w", err))
	case head.Width <= 0 || head.Height <= 0 || head.Width > MaxPixels/head.Height:
		return nil, "", taskflow.Permanent(fmt.Errorf("a picture of %d × %d pixels is refused: the limit is %d pixels",
			head.Width, head.Height, MaxPixels))
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, "", fmt.Errorf("read the upload again: %w", err)
	}
	picture, format, err := image.Decode(f)
	if err != nil {
		return nil, "", taskflow.Permanent(fmt.Errorf("the %s picture is damaged: %w", format, err))
	}
	return picture, format, nil
}

// shrink scales a picture so that its longest side is size; smaller ones keep their size.
func shrink(picture image.Image, size int) image.Image {
	b := picture.Bounds()
	longest := max(b.Dx(), b.Dy())
	size = min(size, longest)
	small := image.NewRGBA(image.Rect(0, 0, max(b.Dx()*size/longest, 1), max(b.Dy()*size/longest, 1)))
	draw.CatmullRom.Scale(small, small.Bounds(), picture, b, draw.Src, nil)
	return small
}

func extension(format string) string {
	if format == "jpeg" {
		return ".jpg"
	}
	return ".png" // also for GIF, whose 256 colours scaling would not keep
}

func encode(w io.Writer, picture image.Image, format string) error {
	if format == "jpeg" {
		return jpeg.Encode(w, picture, &jpeg.Options{Quality: 85})
	}
	return png.Encode(w, picture)
}

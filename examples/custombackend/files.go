package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
)

// eachLine calls f with each line of a file, and where it begins. A file that does not exist has none.
func eachLine(name string, f func(at int64, text []byte) error) (err error) {
	file, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	in := bufio.NewReader(file)
	for at := int64(0); ; {
		text, end := in.ReadBytes('\n')
		if end != nil && !errors.Is(end, io.EOF) {
			return end
		}
		if len(bytes.TrimSpace(text)) > 0 {
			if err := f(at, text); err != nil {
				return err
			}
		}
		if end != nil {
			return nil
		}
		at += int64(len(text))
	}
}

// appendLines adds lines to the end of a file, on a line of their own even if a crash has cut the last one short, and waits until
// they are on the disk. It returns where they begin. If it fails, the file has its old length again: part of a call must not stay.
func appendLines(name string, lines [][]byte) (at int64, err error) {
	if len(lines) == 0 {
		return 0, nil
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return 0, err
	}
	text := bytes.Join(lines, nil)
	at = end
	if end > 0 {
		last := make([]byte, 1)
		if _, err := f.ReadAt(last, end-1); err != nil {
			return 0, err
		}
		if last[0] != '\n' {
			text = append([]byte{'\n'}, text...)
			at++
		}
	}
	if _, err = f.WriteAt(text, end); err == nil {
		err = f.Sync()
	}
	if err != nil {
		return 0, errors.Join(err, f.Truncate(end))
	}
	return at, nil
}

// replaceFile writes a file beside and renames it: a crash leaves the old one or the new one.
func replaceFile(name string, write func(io.Writer) error) error {
	f, err := os.OpenFile(name+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(f)
	err = write(out)
	if err == nil {
		err = out.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(name+".new", name)
}

package utils

func CopyString(s string) string        { return s }
func CopyBytes(b []byte) []byte         { return b }
func Trim(s string, cutset byte) string { return s }
func ToLower(s string) string           { return s }
func ToString(v any) string             { return "" }
func AddTrailingSlash(s string) string  { return s }

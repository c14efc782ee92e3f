package taskflow

import "fmt"

// ManyTags adds n different tags at once.
func ManyTags(n int) AddOption {
	return addOption(func(in *invocation) error {
		for i := range n {
			if err := Tag(fmt.Sprintf("k%d", i), "v").applyAdd(in); err != nil {
				return err
			}
		}
		return nil
	})
}

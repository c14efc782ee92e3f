// useVirtual draws of a long list only what is in sight, with @tanstack/virtual-core.

import {
  elementScroll,
  observeElementOffset,
  observeElementRect,
  Virtualizer,
  type VirtualizerOptions,
} from "@tanstack/virtual-core";
import type { RefObject } from "preact";
import { useLayoutEffect, useReducer, useRef } from "preact/hooks";

type Some = Pick<VirtualizerOptions<HTMLElement, HTMLElement>, "count" | "estimateSize"> &
  Partial<VirtualizerOptions<HTMLElement, HTMLElement>>;

export function useVirtual(scroller: RefObject<HTMLElement | null>, some: Some): Virtualizer<HTMLElement, HTMLElement> {
  const [, redraw] = useReducer((n: number, _: number) => n + 1, 0);
  const options: VirtualizerOptions<HTMLElement, HTMLElement> = {
    observeElementRect,
    observeElementOffset,
    scrollToFn: elementScroll,
    getScrollElement: () => scroller.current,
    overscan: 12,
    ...some,
    onChange: (v, sync) => {
      redraw(0);
      some.onChange?.(v, sync);
    },
  };
  const held = useRef<Virtualizer<HTMLElement, HTMLElement> | null>(null);
  held.current ??= new Virtualizer(options);
  const v = held.current;
  v.setOptions(options);
  useLayoutEffect(() => v._didMount(), [v]);
  useLayoutEffect(() => v._willUpdate());
  return v;
}

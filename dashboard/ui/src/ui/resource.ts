// useResource loads something and keeps it fresh. What is there stays while it is loaded again, so that nothing flickers.

import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { ApiError } from "../api/client";
import { listen, paused } from "../live/live";

export interface Resource<T> {
  data: T | null;
  error: ApiError | null;
  loading: boolean;
  reload: () => void;
}

// key names what is loaded: another key starts anew. every: seconds between loads; 0 for never.
export function useResource<T>(key: string, load: () => Promise<T>, every = 0): Resource<T> {
  const [state, setState] = useState<{ key: string; data: T | null; error: ApiError | null; loading: boolean }>({
    key,
    data: null,
    error: null,
    loading: true,
  });
  const latest = useRef({ key, load, turn: 0 });
  latest.current.key = key;
  latest.current.load = load;

  const reload = useCallback(() => {
    const mine = ++latest.current.turn;
    const { key } = latest.current;
    setState((s) => {
      if (s.key !== key) return { key, data: null, error: null, loading: true };
      return s.loading ? s : { ...s, loading: true };
    });
    latest.current.load().then(
      (data) => mine === latest.current.turn && setState({ key, data, error: null, loading: false }),
      (err) => {
        if (mine !== latest.current.turn) return;
        const error =
          err instanceof ApiError ? err : new ApiError(0, "Failed", err instanceof Error ? err.message : String(err));
        setState((s) => ({ ...s, error, loading: false }));
      },
    );
  }, []);

  useLayoutEffect(reload, [key, reload]); // asked for before the screen is painted
  useEffect(() => {
    const again = () => {
      if (!document.hidden && !paused.value) reload();
    };
    const timer = every > 0 ? setInterval(again, every * 1000) : undefined;
    const forget = listen({ reset: again });
    return () => {
      clearInterval(timer);
      forget();
    };
  }, [every, reload]);
  useEffect(
    () => () => {
      latest.current.turn++; // nobody waits for it any more
    },
    [],
  );

  return state.key === key ? { ...state, reload } : { data: null, error: null, loading: true, reload };
}

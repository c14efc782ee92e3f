// Commands to paste into a shell.

// quote makes one word of any text, for POSIX shells.
export const quote = (s: string): string => `'${s.replaceAll("'", `'\\''`)}'`;

// curl is a command for the mount at base, an absolute URL. With a login it names a file with the session's cookie.
export function curl(base: string, path: string, method: string, auth: boolean): string {
  const url = new URL(path, base.endsWith("/") ? base : `${base}/`).href;
  return ["curl", ...(method === "GET" ? [] : ["-X", method]), ...(auth ? ["-b", "cookies.txt"] : []), quote(url)].join(
    " ",
  );
}

// loginCurl writes that file; the password is asked for and not in the shell's history.
export function loginCurl(base: string, user: string): string {
  const url = new URL("auth/login", base.endsWith("/") ? base : `${base}/`).href;
  return `read -rs P; curl -c cookies.txt --data-urlencode ${quote(`username=${user}`)} --data-urlencode password="$P" ${quote(url)}`;
}

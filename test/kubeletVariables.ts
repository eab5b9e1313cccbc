/** A variable or argument as the kubelet makes it: `$(NAME)` is a variable that is known so far, `$$` one `$`. */
export function expanded(text: string, env: Readonly<Record<string, string>>): string {
    return text.replace(/\$(\$|\(([^)]+)\))/g, (whole, inner: string, name: string) =>
        inner === "$" ? "$" : (env[name] ?? whole),
    );
}

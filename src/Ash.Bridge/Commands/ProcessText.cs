namespace Ash.Bridge.Commands;

/// <summary>What the kernel would misread in arguments and environments. JSON's null hides in lists despite their types.</summary>
internal static class ProcessText
{
    /// <summary>What is wrong with a program and its arguments; null where nothing is.</summary>
    internal static string? FaultOf(IReadOnlyList<string> arguments) => arguments switch
    {
        [] => "There is no program to start.",
        [var program, ..] when program is null || !program.StartsWith('/') => "The program must be an absolute path.",
        _ when arguments.Any(argument => argument is null || argument.Contains('\0')) => "An argument cannot contain NUL.",
        _ => null,
    };

    /// <inheritdoc cref="FaultOf(IReadOnlyList{string})"/>
    internal static string? FaultOf(IReadOnlyDictionary<string, string> environment)
    {
        foreach (var (name, value) in environment)
        {
            if (name.Length == 0 || name.AsSpan().ContainsAny('=', '\0') || value is null || value.Contains('\0'))
            {
                return $"The environment variable '{name}' cannot be set.";
            }
        }

        return null;
    }
}

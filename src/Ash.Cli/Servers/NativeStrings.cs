using System.Runtime.InteropServices;

namespace Ash.Cli.Servers;

/// <summary>An array of C strings that ends with a null, as <c>argv</c> and <c>envp</c> are.</summary>
internal sealed unsafe class NativeStrings : IDisposable
{
    private readonly int _count;

    public NativeStrings(IReadOnlyCollection<string> strings)
    {
        _count = strings.Count;
        Pointer = (byte**)NativeMemory.AllocZeroed((nuint)(_count + 1), (nuint)sizeof(byte*));
        var i = 0;

        foreach (var text in strings)
        {
            Pointer[i++] = (byte*)Marshal.StringToCoTaskMemUTF8(text);
        }
    }

    public byte** Pointer { get; }

    public static NativeStrings Environment(IReadOnlyDictionary<string, string> variables) =>
        new([.. variables.Select(variable => $"{variable.Key}={variable.Value}")]);

    public void Dispose()
    {
        for (var i = 0; i < _count; i++)
        {
            Marshal.FreeCoTaskMem((nint)Pointer[i]);
        }

        NativeMemory.Free(Pointer);
    }
}

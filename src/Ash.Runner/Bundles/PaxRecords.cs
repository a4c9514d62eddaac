using System.Buffers.Text;
using System.Text;

namespace Ash.Runner.Bundles;

/// <summary>What is written down of the next entry in front of its header: lines of <c>length key=value</c>.</summary>
internal readonly record struct PaxRecords(string? Path, string? Target, long? Size)
{
    /// <exception cref="BundleException">They are damaged, or of a sparse file.</exception>
    public static PaxRecords Parse(ReadOnlySpan<byte> records)
    {
        var said = default(PaxRecords);
        while (!records.IsEmpty)
        {
            if (!Utf8Parser.TryParse(records, out int length, out var digits)
                || length > records.Length || length < digits + 3 || records[digits] != ' ' || records[length - 1] != '\n')
            {
                throw Damaged();
            }

            var record = records[(digits + 1)..(length - 1)];
            records = records[length..];
            var split = record.IndexOf((byte)'=');
            if (split < 0)
            {
                throw Damaged();
            }

            var key = record[..split];
            var value = record[(split + 1)..];
            if (key.SequenceEqual("path"u8))
            {
                said = said with { Path = Encoding.UTF8.GetString(value) };
            }
            else if (key.SequenceEqual("linkpath"u8))
            {
                said = said with { Target = Encoding.UTF8.GetString(value) };
            }
            else if (key.SequenceEqual("size"u8))
            {
                said = Utf8Parser.TryParse(value, out long size, out var read) && read == value.Length && size >= 0
                    ? said with { Size = size }
                    : throw Damaged();
            }
            else if (key.StartsWith("GNU.sparse."u8))
            {
                throw BundleException.Invalid("it has a sparse file; pack it without --sparse");
            }
        }

        return said;
    }

    private static BundleException Damaged() => BundleException.Invalid("the names of an entry are damaged");
}

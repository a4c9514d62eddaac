using System.Text.Encodings.Web;
using System.Text.Json;

namespace Ash.Cli.Configuration;

/// <summary>Keeps <see cref="CliConfig"/> in a file that only its owner can read, for it holds keys.</summary>
internal sealed class ConfigStore(string folder)
{
    private static readonly CliJson Json = new(new JsonSerializerOptions(CliJson.Default.Options)
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });

    public string Path { get; } = System.IO.Path.Combine(folder, "config.json");

    public CliConfig Read()
    {
        try
        {
            using var file = File.OpenRead(Path);
            return JsonSerializer.Deserialize(file, Json.CliConfig) ?? new CliConfig();
        }
        catch (Exception absent) when (absent is FileNotFoundException or DirectoryNotFoundException)
        {
            return new CliConfig();
        }
        catch (JsonException malformed)
        {
            throw new CliException($"{Path} is not valid JSON ({malformed.Message}). Mend it, or remove it.");
        }
    }

    /// <summary>Replaces the file as a whole: a reader sees the old one or the new one.</summary>
    public void Write(CliConfig config)
    {
        PrivateFiles.CreateFolder(folder);
        PrivateFiles.Replace(Path, JsonSerializer.Serialize(config, Json.CliConfig) + "\n");
    }
}

using Ash.Server.Attachments;
using Ash.Server.Storage;

namespace Ash.Server.Tests.Storage;

/// <summary>The files of a session that is purged twice at once, or that somebody still sends files to.</summary>
[OnDatabase(TestDatabase.Sqlite)]
public sealed class SessionFilesTests : IDisposable
{
    private const int Limit = 30_000;
    private const int Rounds = 20;
    private const int FilesOfASession = 200;
    private static readonly Guid Session = Guid.CreateVersion7();
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("ash-files-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact(Timeout = Limit)]
    public Task AttachmentsRemovedTwiceAtOnce_AreRemoved() => Task.Run(() =>
    {
        using var data = DataFolder.TryOpen(_folder.FullName, out _)!;
        var files = new AttachmentFiles(data);
        RemoveTwiceAtOnce(Path.Combine(data.Attachments, Session.ToString()), () => files.RemoveAll(Session));
    }, TestContext.Current.CancellationToken);

    [Fact(Timeout = Limit)]
    public Task PayloadsRemovedTwiceAtOnce_AreRemoved() => Task.Run(() =>
    {
        var files = new EventFiles(_folder.FullName);
        RemoveTwiceAtOnce(Path.Combine(_folder.FullName, Session.ToString()), () => files.Remove(Session));
    }, TestContext.Current.CancellationToken);

    [Fact(Timeout = Limit)]
    public Task AttachmentThatComesWhileAllAreRemoved_IsKeptOrRefused_AndBreaksNothing() => Task.Run(() =>
    {
        using var data = DataFolder.TryOpen(_folder.FullName, out _)!;
        var files = new AttachmentFiles(data);
        for (var round = 0; round < Rounds * 10; round++)
        {
            var id = Guid.CreateVersion7();
            using var file = files.Make(id);
            Parallel.Invoke(() => files.TryKeep(Session, id, file), () => files.RemoveAll(Session), () => files.Remove(Session, id));
        }
    }, TestContext.Current.CancellationToken);

    private static void RemoveTwiceAtOnce(string folder, Action remove)
    {
        for (var round = 0; round < Rounds; round++)
        {
            Directory.CreateDirectory(folder);
            for (var file = 0; file < FilesOfASession; file++)
            {
                File.WriteAllText(Path.Combine(folder, $"{file}"), "");
            }

            Parallel.Invoke(remove, remove);
            Assert.False(Directory.Exists(folder));
        }
    }
}
